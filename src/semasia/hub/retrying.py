"""One policy for every call to the Hub: what is tried again, after how long, and what is told."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers

from semasia.errors import HubError, HubUnreachableError

T = TypeVar("T")

# Answers that say nothing about the request itself.
_PASSING = {408, 429, 500, 502, 503, 504}
_TOKEN = re.compile(r"hf_[A-Za-z0-9_]+")
_ADVICE = {
    401: "Log in again (`hf auth login`), or set HF_TOKEN to a token that is still valid.",
    403: "The token may not do this: give it write access to the namespace.",
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


def passes(error: Exception) -> bool:
    """Return whether a failure may be gone at the next attempt."""
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
    advice = _ADVICE.get(_status(error) or 0)
    return f"{line} {advice}" if advice else line


def _status(error: BaseException) -> int | None:
    """Return the status of the answer behind an error; None where there was no answer.

    The Xet client says it in its message only, the one for plain LFS in the error's cause.
    """
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    if response is not None:
        return int(response.status_code)
    found = re.search(r"HTTP status \w+ error \(([1-5]\d\d)\b", str(error))
    return int(found[1]) if found else None
