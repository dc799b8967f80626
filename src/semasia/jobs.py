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

from semasia.errors import LogError, SemasiaError, StoppedError, first_line
from semasia.files import whole_file
from semasia.streams import tolerate_encodings


@contextlib.contextmanager
def job(
    log: str | Path, *, failure: str | Path | None = None, attempt: int = 1
) -> Iterator[logging.Logger]:
    """Run a block as a job: warnings and tracebacks go to ``log``, errors are told in one line.

    An error that a user can act on ends the process with status 1 and one line on standard error
    that names the log. ``failure`` is deleted when the block begins and written when it fails,
    whatever the reason, so that a collection knows what failed and why. A disk that is full takes
    lines from the log; it never takes the place of the block's own error.

    Parameters
    ----------
    log : path
    failure : path, optional
        JSON file with the keys ``error``, ``message``, ``log``, ``may_pass``.
    attempt : int
        How often a scheduler has tried this job, this time included. What failed for good is not
        tried again: the earlier error is told once more.

    Raises
    ------
    LogError
        If the log cannot be begun; then the block does not run.
    """
    tolerate_encodings()
    path = Path(log)
    if failure and attempt > 1 and (told := _for_good(Path(failure))):
        _tell(f"{told}\n  not tried again; log: {path}")
        raise SystemExit(1)
    if failure:
        # Where it cannot be deleted nothing else can be written either, which is told then.
        with contextlib.suppress(OSError):
            Path(failure).unlink(missing_ok=True)
    handler = _begun(path, failure)
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
        _tell(f"{stopped}\n  log: {path}")
        raise SystemExit(128 + stopped.signal) from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic in compiled code is no Exception
        logger.exception("failed after %.1f s", time.monotonic() - began)
        if failure:
            _record(Path(failure), error, path)
        if isinstance(error, SemasiaError):
            _tell(f"{type(error).__name__}: {error}\n  log: {path}")
            raise SystemExit(1) from None
        raise
    else:
        logger.info("done in %.1f s", time.monotonic() - began)
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()


class _Log(logging.FileHandler):
    """A log file whose own faults are told once, and are never errors of the job."""

    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not self._told:
            self._told = True
            reason = first_line(sys.exc_info()[1] or OSError("unknown"))
            _tell(f"{self.baseFilename}: the log could not be written ({reason})")

    def close(self) -> None:
        # What is still held of it may not fit on the disk either.
        with contextlib.suppress(OSError):
            super().close()


def _begun(path: Path, failure: str | Path | None) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _Log(path, mode="w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        told = LogError(
            f"{path}: the log could not be begun ({error.strerror or error}). Free space or mend "
            f"permissions in {path.parent}, run again."
        )
        if failure:
            _record(Path(failure), told, path)
        raise told from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


def _tell(text: str) -> None:
    """Print to standard error, where there still is one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def _for_good(path: Path) -> str | None:
    """Return what an earlier try failed of, if that cannot pass."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return None if record["may_pass"] else f"{record['error']}: {record['message']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record(path: Path, error: BaseException, log: Path) -> None:
    try:
        message = first_line(error, most=10_000)
    except Exception:  # an error of somebody else's that cannot even be told
        message = "no message"
    record = {
        "error": type(error).__name__,
        "message": message,
        "log": str(log),
        # An error that nobody foresaw may be the machine's.
        "may_pass": getattr(error, "may_pass", True),
    }
    # A full disk must not hide the error that is being recorded.
    with contextlib.suppress(OSError, SemasiaError), whole_file(path) as temporary:
        temporary.write_text(
            json.dumps(record, ensure_ascii=False) + "\n",
            encoding="utf-8",
            errors="backslashreplace",
        )
