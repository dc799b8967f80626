"""Tables as pages: one self-contained HTML file, sortable, nothing fetched."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from semasia.figures.style import rows_text
from semasia.files import whole_file
from semasia.geometry import METRIC_DEFINITIONS

Row = Mapping[str, Any]


class Column(NamedTuple):
    """One column of a page: its heading, how to sort it, and what a cell shows."""

    label: str
    value: Callable[[Row], Any]
    hint: str | None = None
    shown: Callable[[Row], str] | None = None
    mark: Callable[[Row], str] | None = None


_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem;color:#1a1a1a;background:#fff}
h1{font-size:1.25rem;margin:0 0 .3rem}p{max-width:60rem;margin:.3rem 0}
.wrap{overflow-x:auto;margin-top:1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:.3rem .6rem;border-bottom:1px solid #e2e2e2;text-align:right}
th{position:sticky;top:0;background:#f4f6f8;cursor:pointer;font-weight:600;vertical-align:bottom}
th:hover{background:#e8edf2}th[data-dir]::after{content:" ▲"}th[data-dir="-1"]::after{content:" ▼"}
td.t,th.t{text-align:left}tr.u{color:#777;background:#fafafa}tr:hover td{background:#f0f7ff}
.mark{border:1px solid #999;border-radius:3px;padding:0 .3em;font-size:.8em;margin-left:.4em}
.small{color:#555;font-size:.9em}
"""

_SCRIPT = """
document.querySelectorAll("th").forEach((th,i)=>th.addEventListener("click",()=>{
 const body=document.querySelector("tbody"),dir=th.dataset.dir==="1"?-1:1;
 document.querySelectorAll("th").forEach(t=>delete t.dataset.dir);th.dataset.dir=dir;
 const key=r=>r.children[i].dataset.v;
 [...body.rows].sort((a,b)=>{const x=key(a),y=key(b);
  if(x===""||y==="")return (x==="")-(y==="");
  return dir*(th.classList.contains("t")?x.localeCompare(y):x-y);
 }).forEach(r=>body.append(r));}));
"""


def write_page(
    frame: pl.DataFrame,
    path: str | Path,
    *,
    title: str,
    remarks: Sequence[str],
    columns: Sequence[Column],
) -> None:
    """Write a table as a page for a browser: click a heading to sort, hover for its meaning.

    Parameters
    ----------
    frame : DataFrame
        Rows with a column ``untrained`` are greyed where it is true.
    path : path
        HTML file to write.
    title : str
    remarks : sequence of str
        Paragraphs above the table, plain text.
    columns : sequence of Column
    """
    rows = list(frame.iter_rows(named=True))
    texts = [any(isinstance(c.value(r), str) for r in rows) for c in columns]
    heads = "".join(_head(c, text) for c, text in zip(columns, texts, strict=True))
    body = "\n".join(_row(row, columns, texts) for row in rows)
    told = "".join(f'<p class="small">{html.escape(r)}</p>' for r in remarks)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}</h1>{told}"
        f'<div class="wrap"><table><thead><tr>{heads}</tr></thead><tbody>\n{body}\n'
        f"</tbody></table></div><script>{_SCRIPT}</script></body></html>\n"
    )
    with whole_file(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def write_plain_page(
    frame: pl.DataFrame, path: str | Path, *, title: str, remarks: Sequence[str]
) -> None:
    """Write every column of a table as it stands; empty columns are left out."""
    kept = [c for c in frame.columns if frame[c].null_count() < len(frame) and c != "untrained"]
    columns = [
        Column(c, lambda r, c=c: r[c], mark=_untrained if c == "model_name" else None) for c in kept
    ]
    write_page(frame, path, title=title, remarks=remarks, columns=columns)


def write_geometry_page(frame: pl.DataFrame, path: str | Path, *, title: str, targets: int) -> None:
    """Write the geometry table as a page.

    Parameters
    ----------
    frame : DataFrame
        The geometry table.
    path : path
        HTML file to write.
    title : str
        Name of the collection.
    targets : int
        Shards that the collection asks for; the page says how many are left out.
    """
    columns = [
        Column("benchmark", lambda r: r["benchmark"]),
        Column("split", lambda r: r["split"]),
        Column("model", lambda r: r["model_name"], mark=_untrained),
        Column("rows", lambda r: r["rows"], shown=_rows),
        Column("width", lambda r: r["latent_dim"], "length of a latent vector"),
    ]
    # What can be read from a space stands first, then what the space looks like.
    order = sorted(METRIC_DEFINITIONS, key=lambda m: not m.startswith("probe_"))
    for metric in order:
        known = METRIC_DEFINITIONS[metric]
        columns.append(
            Column(
                known.label,
                lambda r, m=metric: r[m],
                f"{known.meaning} ({known.source})",
                _accuracy if metric == "probe_accuracy" else None,
            )
        )
    columns.append(Column("note", lambda r: r["note"] or ""))
    write_page(
        frame,
        path,
        title=f"{title}: geometry of the latent spaces",
        remarks=_geometry_remarks(frame, targets),
        columns=columns,
    )


def _geometry_remarks(frame: pl.DataFrame, targets: int) -> list[str]:
    remarks = [
        "Click a heading to sort; hover over it for its definition. Probe scores say what can "
        "be read from a space; the geometric numbers after them describe the space, and do not "
        "predict the scores."
    ]
    if len(frame) < targets:
        remarks.append(
            f"{targets - len(frame):,} of {targets:,} targets are left out: their latents are not "
            "there."
        )
    if without := frame["rows"].null_count():
        remarks.append(
            f"{without:,} of {len(frame):,} rows are of latents that cannot be used; the note says "
            "why."
        )
    if len(frame.filter(pl.col("rows") < pl.col("source_rows"))):
        remarks.append(
            "Capped splits: these numbers come from a fixed, stratified part of the rows, and the "
            "column “rows” says how many of how many."
        )
    if frame["untrained"].any():
        remarks.append("Grey rows are untrained controls: seeded random weights.")
    fitted = frame.drop_nulls("probe_fit_rows").select(
        "benchmark", "probe_fit_split", "probe_fit_rows"
    )
    for benchmark, split, rows in fitted.unique().sort("benchmark").rows():
        remarks.append(
            f"Probe on {benchmark}: least squares with intercept, fitted on {rows:,} rows of "
            f"{split}, ridge 0.1 · total spread / rows (fixed, not tuned); ± gives half the "
            "95 % interval of the accuracy over test rows."
        )
    return remarks


def _untrained(row: Row) -> str:
    return "untrained" if row.get("untrained") else ""


def _rows(row: Row) -> str:
    if row["rows"] is None:
        return "–"
    return rows_text(row["rows"], row["source_rows"]).removesuffix(" rows")


def _accuracy(row: Row) -> str:
    value = row["probe_accuracy"]
    if value is None or row["probe_accuracy_low"] is None:
        return _shown(value)
    half = (row["probe_accuracy_high"] - row["probe_accuracy_low"]) / 2
    return f"{value:.3f} ± {half:.3f}"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _head(column: Column, text: bool) -> str:
    hint = f' title="{html.escape(column.hint)}"' if column.hint else ""
    return f"<th{' class=t' if text else ''}{hint}>{html.escape(column.label)}</th>"


def _row(row: Row, columns: Sequence[Column], texts: Sequence[bool]) -> str:
    cells = []
    for column, text in zip(columns, texts, strict=True):
        value = column.value(row)
        shown = html.escape(column.shown(row) if column.shown else _shown(value))
        mark = column.mark(row) if column.mark else ""
        after = f'<span class="mark">{mark}</span>' if mark else ""
        key = "" if value is None else html.escape(str(value))
        cells.append(f'<td{" class=t" if text else ""} data-v="{key}">{shown}{after}</td>')
    return f"<tr{' class=u' if row.get('untrained') else ''}>{''.join(cells)}</tr>"
