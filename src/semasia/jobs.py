"""What every job of a workflow does around its work: a log, one clear error, a failure record."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from semasia.errors import SemasiaError, StoppedError
from semasia.streams import tolerate_encodings


@contextlib.contextmanager
def job(
    log: str | Path, *, failure: str | Path | None = None, attempt: int = 1
) -> Iterator[logging.Logger]:
    """Run a block as a job: warnings and tracebacks go to ``log``, errors are told in one line.

    An error that a user can act on ends the process with status 1 and one line on standard error
    that names the log. ``failure`` is deleted when the block begins and written when it fails,
    whatever the reason, so that a collection knows what failed and why.

    Parameters
    ----------
    log : path
    failure : path, optional
        JSON file with the keys ``error``, ``message``, ``log``, ``may_pass``.
    attempt : int
        How often a scheduler has tried this job, this time included. What failed for good is not
        tried again: the earlier error is told once more.
    """
    tolerate_encodings()
    path = Path(log)
    if failure and attempt > 1 and (told := _for_good(Path(failure))):
        print(f"{told}\n  not tried again; log: {path}", file=sys.stderr, flush=True)
        raise SystemExit(1)
    if failure:
        Path(failure).unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    logger = logging.getLogger("semasia")
    began = time.monotonic()
    try:
        yield logger
    except StoppedError as stopped:
        # No failure: what is missing is made by the next run.
        logger.warning("%s", stopped)
        print(f"{stopped}\n  log: {path}", file=sys.stderr, flush=True)
        raise SystemExit(128 + stopped.signal) from None
    except Exception as error:
        logger.exception("failed after %.1f s", time.monotonic() - began)
        if failure:
            _record(Path(failure), error, path)
        if isinstance(error, SemasiaError):
            print(f"{type(error).__name__}: {error}\n  log: {path}", file=sys.stderr, flush=True)
            raise SystemExit(1) from None
        raise
    else:
        logger.info("done in %.1f s", time.monotonic() - began)
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()


def _for_good(path: Path) -> str | None:
    """Return what an earlier try failed of, if that cannot pass."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return None if record["may_pass"] else f"{record['error']}: {record['message']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record(path: Path, error: Exception, log: Path) -> None:
    lines = str(error).strip().splitlines() or ["no message"]
    record = {
        "error": type(error).__name__,
        "message": lines[0],
        "log": str(log),
        # An error that nobody foresaw may be the machine's.
        "may_pass": getattr(error, "may_pass", True),
    }
    # A full disk must not hide the error that is being recorded.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
