"""Rewrites the documents."""

from benchmarks.tables import DOCS, TABLES, rewritten

if __name__ == "__main__":
    for document in sorted({where for where, _ in TABLES.values()}):
        (DOCS / document).write_text(rewritten(document), encoding="utf-8")
