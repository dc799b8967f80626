"""What is generated from one place equals it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest
import yaml


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["config", "benchmark", "model_set", "model"])
def test_schemas_equal_the_classes_that_check(name: str, repository: Path) -> None:
    generate = module_at(repository / "workflow/schemas/generate.py")
    committed = (repository / f"workflow/schemas/{name}.schema.yaml").read_text()
    assert committed == generate.schema_text(generate.SCHEMAS[name]), "run `make schemas`"


def test_every_schema_is_closed(repository: Path) -> None:
    for path in (repository / "workflow/schemas").glob("*.schema.yaml"):
        schema = yaml.safe_load(path.read_text())
        for part in (schema, *schema.get("$defs", {}).values()):
            if "properties" in part:
                assert part["additionalProperties"] is False, (path, part["title"])


def test_configs_and_cards_follow_the_json_schemas(repository: Path) -> None:
    folders = {
        "config": "config/*.yaml",
        "benchmark": "registry/benchmarks/*.yaml",
        "model_set": "registry/models/*.yaml",
    }
    for name, pattern in folders.items():
        schema = yaml.safe_load((repository / f"workflow/schemas/{name}.schema.yaml").read_text())
        for path in repository.glob(pattern):
            jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_config_readme_has_every_key(repository: Path) -> None:
    generate = module_at(repository / "workflow/schemas/generate.py")
    committed = (repository / "config/README.md").read_text()
    assert committed == generate.readme_text(committed), "run `make schemas`"
    assert "| `extract.batches_per_part` | `16` |" in committed


def test_conda_files_equal_the_pins(repository: Path) -> None:
    pins = module_at(repository / "envs/pins.py")
    for name in pins.STACKS:
        committed = (repository / f"envs/{name}.yaml").read_text()
        assert committed == pins.environment(name), "run `make pins`"


def test_constraints_hold_every_pin(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = (repository / "envs/constraints.txt").read_text().splitlines()
    known = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower(): line for line in lines}
    extras = [pin for pins in project["optional-dependencies"].values() for pin in pins]
    for pin in [*project["dependencies"], *extras]:
        name, version = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", pin).groups()
        # torch's own wheel differs by machine; its version is pinned in pyproject.toml.
        if name != "torch":
            key = re.sub(r"[-_.]+", "-", name).lower()
            assert known[key].endswith(f"=={version}"), f"{pin}: run `make pins`"


@pytest.mark.parametrize(
    "document",
    [
        *("data-format.md", "extraction.md", "scale.md"),
        *("methods.md", "methods-graphs.md", "methods-statistics.md"),
    ],
)
def test_measured_tables_are_the_committed_results(repository: Path, document: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from benchmarks.tables import rewritten; "
            "print(rewritten(sys.argv[1]), end='')",
            document,
        ],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (repository / "docs" / document).read_text(encoding="utf-8")
