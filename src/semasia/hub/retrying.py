"""One policy for every call to the Hub: what is tried again, after how long, and what is told."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import get_token, parse_ratelimit_headers

from semasia.errors import HubError, HubUnreachableError

T = TypeVar("T")

# Answers that say nothing about the request itself.
_PASSING = {408, 429, 500, 502, 503, 504}
# What the client reads, at import, and what it takes for yes.
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = {"1", "ON", "YES", "TRUE"}
_TOKEN = re.compile(r"hf_[A-Za-z0-9_]+")
_ADVICE = {
    401: "Log in again (`hf auth login`), or set HF_TOKEN to a token that is still valid.",
    403: "The token may not do this: give it read access to the repository, or, to publish, "
    "write access to the namespace.",
    404: "Check the name of the repository, and that the token may see it.",
    507: "The Hub has no space left for this namespace.",
}


class Retrying:
    """Repeat calls that failed for a reason that may pass.

    The client repeats some of its requests and not others, such as the one that creates a commit;
    this covers all of them. A 429 is waited out as long as the answer says.

    Parameters
    ----------
    attempts : int
        Of one call in a row.
    longest : float
        Seconds to wait at most where the Hub does not say for how long; doubled from one second.
    sleep : callable
        Waits so many seconds.
    """

    def __init__(
        self,
        attempts: int = 9,
        longest: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.attempts = attempts
        self.longest = longest
        self._sleep = sleep
        self._log = logging.getLogger(__name__)

    def __call__(self, what: str, call: Callable[[], T]) -> T:
        """Return what ``call`` returns.

        Parameters
        ----------
        what : str
            What is being done, for messages: "listing ns/repo".

        Raises
        ------
        HubError
            If the Hub refuses.
        HubUnreachableError
            If it did not answer in all attempts.
        """
        attempt = 0
        while True:
            try:
                return call()
            except Exception as error:
                attempt += 1
                self.wait(what, error, attempt)

    def wait(self, what: str, error: Exception, attempt: int) -> None:
        """Wait before the next attempt, or raise if there is to be none.

        Parameters
        ----------
        what : str
        error : Exception
            Why this attempt failed. One that is neither the Hub's nor the network's is raised.
        attempt : int
            How many have failed, this one included.
        """
        if is_offline(error):
            raise HubUnreachableError(f"{what}: {told_offline()}") from None
        if not passes(error):
            if _status(error) is None:
                raise error
            raise HubError(f"{what}: {explained(error)}") from None
        if attempt >= self.attempts:
            raise HubUnreachableError(
                f"{what}: {attempt} attempts failed, the last with: {explained(error)} "
                "Run again: what is done is not done twice."
            ) from None
        seconds = asked_to_wait(error)
        if seconds is None:
            seconds = min(2.0 ** (attempt - 1), self.longest)
        self._log.warning("%s: %s Trying again in %.0f s.", what, explained(error), seconds)
        self._sleep(seconds)


def is_offline(error: BaseException | None) -> bool:
    """Return whether the client itself sent nothing, as it was told to stay offline."""
    while error is not None:
        if isinstance(error, OfflineModeIsEnabled):
            return True
        error = error.__cause__
    return False


def told_offline() -> str:
    """Return what is to be done where the client was told to stay offline."""
    names = [name for name in _OFFLINE if os.environ.get(name, "").upper() in _TRUE]
    name = names[0] if names else _OFFLINE[0]
    return (
        f"{name}={os.environ.get(name, '1')} is set in the environment, so the Hub is not asked. "
        "Unset it, or use what is on this machine already."
    )


def passes(error: Exception) -> bool:
    """Return whether a failure may be gone at the next attempt."""
    if is_offline(error):
        return False
    if isinstance(error, httpx2.TransportError):
        return True
    status = _status(error)
    if status is not None:
        return status in _PASSING
    # What the clients of storage give up on, after attempts of their own, comes as no better type.
    return isinstance(error, ConnectionError | TimeoutError | RuntimeError)


def conflicts(error: Exception) -> bool:
    """Return whether a commit was refused because another came before it."""
    return isinstance(error, HfHubHTTPError) and error.response.status_code == 412


def asked_to_wait(error: Exception) -> float | None:
    """Return the seconds that an answer asks to wait for, one more than it says; None: none."""
    if not isinstance(error, HfHubHTTPError):
        return None
    headers = error.response.headers
    known = parse_ratelimit_headers(headers)
    if known is not None and known.remaining == 0:
        return known.reset_in_seconds + 1.0
    after = headers.get("retry-after", "")
    return int(after) + 1.0 if after.isdigit() else None


def explained(error: Exception) -> str:
    """Return one line of what went wrong and what to do, without any token."""
    text: Any = str(error).strip().splitlines()
    line = " ".join(part.strip() for part in text if part.strip()) or type(error).__name__
    line = _TOKEN.sub("hf_…", line)
    line = line if line.endswith(".") else f"{line}."
    advice = advice_on(error)
    return f"{line} {advice}" if advice else line


def advice_on(error: BaseException) -> str | None:
    """Return what to do about an answer of the Hub; None where its text is all."""
    if isinstance(error, GatedRepoError):
        return "Ask for access on the repository's page, and set HF_TOKEN to a token that has it."
    status = _status(error) or 0
    # The Hub does not tell strangers whether a repository is there.
    if isinstance(error, RepositoryNotFoundError) and status == 401:
        status = 404 if has_token() else 401
    return advice_on_status(status)


def advice_on_status(status: int) -> str | None:
    """Return what to do about a status that the Hub answers."""
    if status in _ADVICE:
        return _ADVICE[status]
    return "The Hub cannot answer now: try again later." if status >= 500 else None


def has_token() -> bool:
    """Return whether requests carry a token, of the environment or of a login."""
    return get_token() is not None


def _status(error: BaseException) -> int | None:
    """Return the status of the answer behind an error; None where there was no answer.

    The Xet client says it in its message only, the one for plain LFS in the error's cause.
    """
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    if response is not None:
        return int(response.status_code)
    found = re.search(r"HTTP status \w+ error \(([1-5]\d\d)\b", str(error))
    return int(found[1]) if found else None
