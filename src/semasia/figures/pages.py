"""Tables as pages: one self-contained HTML file, sortable, nothing fetched."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import polars as pl

from semasia.figures.style import rows_text
from semasia.files import whole_file
from semasia.geometry import METRIC_DEFINITIONS

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


def write_geometry_page(frame: pl.DataFrame, path: str | Path, *, title: str, targets: int) -> None:
    """Write the geometry table as a page for a browser.

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
    heads = [_head("benchmark", None, True), _head("split", None, True)]
    heads += [_head("model", None, True), _head("rows", None, False)]
    heads += [_head("width", "length of a latent vector", False)]
    heads += [
        _head(d.label, f"{d.meaning} ({d.source})", False) for d in METRIC_DEFINITIONS.values()
    ]
    heads.append(_head("note", None, True))
    body = "\n".join(_row(row) for row in frame.iter_rows(named=True))
    capped = frame.filter(pl.col("rows") < pl.col("source_rows"))
    remarks = [
        "Click a heading to sort; hover over it for its definition. "
        "Geometric numbers describe a space; the probe's, to the right, say what can be read from "
        "it. The first do not predict the second."
    ]
    if len(frame) < targets:
        remarks.append(
            f"<b>{targets - len(frame):,} of {targets:,} targets are left out</b>: their latents "
            "are not there."
        )
    if len(capped):
        remarks.append(
            "Capped splits: these numbers come from a fixed, stratified part of the rows, and the "
            "column “rows” says how many of how many."
        )
    if frame["untrained"].any():
        remarks.append("Grey rows are untrained controls: seeded random weights.")
    fitted = (
        frame.drop_nulls("probe_fit_rows")
        .select("benchmark", "probe_fit_split", "probe_fit_rows")
        .unique()
        .sort("benchmark")
    )
    for benchmark, split, rows in fitted.rows():
        remarks.append(
            f"Probe on {html.escape(benchmark)}: least squares with intercept, fitted on {rows:,} "
            f"rows of {html.escape(split)}, ridge 0.1 · total spread / rows (fixed, not tuned); "
            "± gives the bootstrap 95 % interval of the accuracy over test rows."
        )
    text = "".join(f'<p class="small">{r}</p>' for r in remarks)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}: geometry</title><style>{_STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}: geometry of the latent spaces</h1>{text}"
        f'<div class="wrap"><table><thead><tr>{"".join(heads)}</tr></thead><tbody>\n{body}\n'
        f"</tbody></table></div><script>{_SCRIPT}</script></body></html>\n"
    )
    with whole_file(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _head(label: str, hint: str | None, text: bool) -> str:
    attributes = f' title="{html.escape(hint)}"' if hint else ""
    return f"<th{' class=t' if text else ''}{attributes}>{html.escape(label)}</th>"


def _row(row: dict[str, Any]) -> str:
    mark = '<span class="mark">untrained</span>' if row["untrained"] else ""
    cells = [_text(row["benchmark"]), _text(row["split"]), _text(row["model_name"], mark)]
    cells.append(_cell(row["rows"], rows_text(row["rows"], row["source_rows"])[:-5]))
    cells.append(_cell(row["latent_dim"], f"{row['latent_dim']:,}"))
    for metric in METRIC_DEFINITIONS:
        value = row[metric]
        shown = "–" if value is None else f"{value:,.4g}"
        if metric == "probe_accuracy" and row["probe_accuracy_low"] is not None:
            half = (row["probe_accuracy_high"] - row["probe_accuracy_low"]) / 2
            shown = f"{value:.3f} ± {half:.3f}"
        cells.append(_cell(value, shown))
    cells.append(_text(row["note"] or ""))
    return f"<tr{' class=u' if row['untrained'] else ''}>{''.join(cells)}</tr>"


def _text(value: str, after: str = "") -> str:
    safe = html.escape(value)
    return f'<td class=t data-v="{safe}">{safe}{after}</td>'


def _cell(value: Any, shown: str) -> str:
    return f'<td data-v="{"" if value is None else value}">{html.escape(shown)}</td>'
