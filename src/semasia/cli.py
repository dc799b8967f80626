"""The console command ``semasia``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

from semasia.errors import SemasiaError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="semasia", description="Datasets of latent vectors.")
    version = importlib.metadata.version("semasia")
    parser.add_argument("--version", action="version", version=f"semasia {version}")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="check one shard and print what it holds")
    show.add_argument("shard", type=Path)
    check = commands.add_parser("check", help="check a configuration against the registry")
    check.add_argument("config", type=Path)
    check.add_argument("--registry", type=Path, default=Path("registry"))
    models = commands.add_parser("models", help="query the registry of models")
    models.add_argument("--where", help="a condition in polars' SQL, such as \"family = 'ViT'\"")
    models.add_argument("--columns", help="columns to print, separated by commas")
    models.add_argument("--set", help="a model set; all of the registry by default")
    models.add_argument("--format", choices=("table", "csv", "json"), default="table")
    models.add_argument("--registry", type=Path, default=None)
    _add_verify(commands)
    options = parser.parse_args(arguments)
    try:
        if options.command == "show":
            _show(options.shard)
        elif options.command == "verify":
            return _verify(options)
        elif options.command == "models":
            _models(options)
        else:
            _check(options.config, options.registry)
    except SemasiaError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _show(path: Path) -> None:
    from semasia.latents import Shard

    shard = Shard(path)
    shard.verify()
    columns = ", ".join(["id", *shard.label_columns, "model_name", f"embedding[{shard.width}]"])
    print(f"{path}: {shard.rows:,} rows; {columns}; ids, labels and values are those written.")
    print(json.dumps(shard.provenance, indent=2, ensure_ascii=False))


def _models(options: argparse.Namespace) -> None:
    import polars as pl

    from semasia.errors import ConfigError, did_you_mean
    from semasia.registry import load_model_set
    from semasia.registry.location import registry_folder
    from semasia.registry.selection import read_registry, select_models

    folder = options.registry or registry_folder()
    frame = read_registry(folder)
    names = list(load_model_set(options.set, folder / "models")) if options.set else None
    chosen = select_models(frame, options.where or "TRUE", names, origin="--where")
    default = "model_name,family,macro_family,size,num_parameters,latent_dim,license"
    columns = [c.strip() for c in (options.columns or default).split(",")]
    for column in columns:
        if column not in frame.columns:
            near = did_you_mean(column, frame.columns)
            raise ConfigError(f"--columns: there is no column {column!r}.{near}")
    shown = frame.filter(pl.col("model_name").is_in(chosen)).select(columns)
    if options.format == "csv":
        print(shown.write_csv(), end="")
    elif options.format == "json":
        print(json.dumps(shown.to_dicts(), indent=1, ensure_ascii=False))
    else:
        with pl.Config(
            tbl_rows=-1,
            tbl_cols=-1,
            fmt_str_lengths=80,
            tbl_hide_dataframe_shape=True,
            tbl_hide_column_data_types=True,
            tbl_width_chars=250,
        ):
            print(shown)
        print(f"{len(shown):,} models")


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = commands.add_parser("verify", help="check every shard of a collection")
    verify.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="a shard, a results folder, or a published collection",
    )
    verify.add_argument(
        "--recompute",
        type=_count,
        default=0,
        metavar="N",
        help="compute N rows drawn at random again, and compare",
    )
    verify.add_argument("--config", type=_file, help="configuration whose model cards are used")
    verify.add_argument(
        "--inputs", type=_folder, help="prepared inputs; by default inputs/ beside latents/"
    )
    verify.add_argument(
        "--registry", type=_folder, help="the registry; by default this repository's"
    )
    verify.add_argument("--seed", type=_count, default=0, help="of the rows drawn")
    verify.add_argument("--format", choices=("table", "json"), default="table")


def _verify(options: argparse.Namespace) -> int:
    from semasia.audit import as_json, as_table, verify

    audit = verify(
        options.paths,
        recompute=options.recompute,
        config=options.config,
        inputs=options.inputs,
        registry=options.registry,
        seed=options.seed,
    )
    print(as_json(audit) if options.format == "json" else as_table(audit))
    return audit.status


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def _check(path: Path, registry: Path) -> None:
    from semasia.closed import read_yaml
    from semasia.config import Collection, parse_config

    content = read_yaml(path)
    collection = Collection.resolve(parse_config(content, str(path)), registry, str(path))
    for benchmark in collection.benchmarks:
        for split in collection.splits(benchmark):
            rows = collection.rows(benchmark, split)
            whole = collection.benchmarks[benchmark].splits[split].rows
            of = "" if rows == whole else f" of {whole:,}"
            print(f"{benchmark}/{split}: {len(collection.models):,} models × {rows:,}{of} rows")
    print(f"{sum(1 for _ in collection.targets()):,} shards")
