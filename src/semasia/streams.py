"""Standard output and error on consoles of any encoding."""

from __future__ import annotations

import io
import sys


def tolerate_encodings() -> None:
    """Let what a console's encoding lacks be printed as escapes, such as ``\\\\u2264``.

    Without it a name, a sign or the frame of a table ends a command with a UnicodeEncodeError.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def encodes(text: str) -> bool:
    """Whether standard output can show a text as it is."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
