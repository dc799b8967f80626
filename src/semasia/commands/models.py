"""Query the registry of models."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    models = commands.add_parser("models", help="query the registry of models")
    models.add_argument("--where", help="a condition in polars' SQL, such as \"family = 'ViT'\"")
    models.add_argument("--columns", help="columns to print, separated by commas")
    models.add_argument("--set", help="a model set; all of the registry by default")
    models.add_argument("--format", choices=("table", "csv", "json"), default="table")
    models.add_argument("--registry", type=Path, default=None)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    import polars as pl

    from semasia.errors import ConfigError, did_you_mean
    from semasia.registry import load_model_set
    from semasia.registry.location import registry_folder
    from semasia.registry.selection import read_registry, select_models
    from semasia.streams import encodes

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
            tbl_formatting=None if encodes("│") else "ASCII_FULL_CONDENSED",
        ):
            print(shown)
        print(f"{len(shown):,} models")
    return 0
