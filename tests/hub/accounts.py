"""Who there is, what their tokens are for, and where each may write."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from .exchange import RefusedError, Request

USER, STRANGER = "tester", "stranger"
# The user may write in the one, and only read in the other.
ORGANISATION, READ_ONLY_ORGANISATION = "tester-lab", "tester-library"


@dataclass(frozen=True)
class Token:
    """An access token; a value of its own for every server, so that it is found where it leaks."""

    user: str
    role: str = "write"
    expired: bool = False
    value: str = field(default_factory=lambda: f"hf_{secrets.token_hex(17)}")


class Accounts:
    """A user with four tokens, two organisations, and a stranger."""

    def __init__(self) -> None:
        self.named = {
            "token": Token(USER),
            "read_token": Token(USER, role="read"),
            "expired_token": Token(USER, expired=True),
            "stranger_token": Token(STRANGER),
        }
        self._by_value = {token.value: token for token in self.named.values()}
        self._writable = {
            USER: {USER, ORGANISATION},
            STRANGER: {STRANGER},
        }
        self._readable = {USER: {USER, ORGANISATION, READ_ONLY_ORGANISATION}, STRANGER: {STRANGER}}

    def of(self, request: Request) -> Token | None:
        """Return the token of a request; None: it has none.

        Raises
        ------
        RefusedError
            401, if it is not known or has expired.
        """
        value = request.bearer()
        if value is None:
            return None
        token = self._by_value.get(value)
        if token is None:
            raise RefusedError(401, "Invalid credentials in Authorization header")
        if token.expired:
            raise RefusedError(401, 'User Access Token "expired" is expired')
        return token

    def required(self, request: Request) -> Token:
        """Return the token of a request that needs one."""
        token = self.of(request)
        if token is None:
            raise RefusedError(401, "Invalid username or password.")
        return token

    def writer(self, request: Request, namespace: str) -> Token:
        """Return the token of a request that writes in a namespace.

        Raises
        ------
        RefusedError
            401 without a token, 403 with one that may not.
        """
        token = self.required(request)
        if token.role != "write":
            raise RefusedError(
                403, "Forbidden: you must use a write token to upload to a repository."
            )
        if namespace not in self._writable[token.user]:
            raise RefusedError(
                403, f'You don\'t have the rights to write under the namespace "{namespace}"'
            )
        return token

    def sees(self, token: Token | None, namespace: str) -> bool:
        """Return whether a private repository of a namespace is shown."""
        return token is not None and namespace in self._readable[token.user]

    def whoami(self, token: Token) -> dict[str, Any]:
        organisations = sorted(self._readable[token.user] - {token.user})
        roles = {
            name: "write" if name in self._writable[token.user] else "read"
            for name in organisations
        }
        return {
            "type": "user",
            "id": token.user.encode().hex(),
            "name": token.user,
            "fullname": token.user.title(),
            "isPro": False,
            "orgs": [
                {"type": "org", "name": name, "fullname": name, "roleInOrg": role}
                for name, role in roles.items()
            ],
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": "test", "role": token.role},
            },
        }

    def leaked(self, text: str) -> bool:
        """Return whether a token of the Hub stands in a text."""
        return any(value in text for value in self._by_value)
