"""YAML files checked by closed schemas: an unknown, missing or repeated key is one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from semasia.errors import CardError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


class Closed(BaseModel):
    """A section that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


if TYPE_CHECKING:
    _SafeLoader = yaml.SafeLoader
else:
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):
    """A safe loader that refuses a key given twice, which YAML would silently overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[object, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise yaml.YAMLError(
                    f"{key.value!r} is defined twice, in lines {seen[key.value]} and {line}"
                )
            seen[key.value] = line
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises
    ------
    CardError
        If it is not there, is not YAML, or defines a key twice.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return yaml.load(file, Loader=_Loader)
    except FileNotFoundError:
        raise CardError(f"{path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CardError(f"{path}: is not readable YAML: {error}") from error


def load_card(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into a closed model.

    Raises
    ------
    CardError
        As :func:`read_yaml`, or if the content breaks the schema; the message names the key.
    """
    content = read_yaml(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise CardError(f"{path}: {explain(error, model)}") from error


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Turn a validation error into a sentence or two that name each key and what was found."""
    parts = []
    items = error.errors(include_url=False)
    places = [item["loc"] for item in items]
    for item in items:
        # A wrong entry makes pydantic count its list as too short: say only what is wrong inside.
        if any(len(p) > len(item["loc"]) and p[: len(item["loc"])] == item["loc"] for p in places):
            continue
        place = ".".join(str(p) for p in item["loc"]) or "the top level"
        if item["type"] == "extra_forbidden":
            key = str(item["loc"][-1])
            parts.append(f"unknown key `{place}`.{did_you_mean(key, _keys(model))}")
        elif item["type"] == "missing":
            parts.append(f"`{place}` is missing.")
        else:
            message = item["msg"].removeprefix("Value error, ")
            found = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
            parts.append(f"`{place}`: {message}{found}.")
    return " ".join(parts)


def _keys(model: type[BaseModel]) -> list[str]:
    """Return every key known anywhere in the model: enough to offer near ones."""
    keys: set[str] = set()
    stack: list[object] = [model.model_json_schema()]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict):
                keys.update(properties)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return sorted(keys)
