"""Collections: titled lists of repositories."""

from __future__ import annotations

import re
import secrets
import threading
from typing import Any

from .exchange import RefusedError, timestamp

_LONGEST_TITLE, _LONGEST_DESCRIPTION, _LONGEST_NOTE = 59, 150, 500
_CHANGEABLE = ("title", "description", "private", "theme", "position")


class Collections:
    """All collections, by slug: ``namespace/title-in-small-letters-`` and a number."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Any]] = {}
        self._lock = threading.RLock()

    def all(self) -> list[dict[str, Any]]:
        return list(self._known.values())

    def get(self, slug: str) -> dict[str, Any]:
        if slug not in self._known:
            raise RefusedError(404, "Collection not found")
        return self._known[slug]

    def create(self, namespace: str, title: str, description: str | None, private: bool) -> dict:
        """Make an empty one.

        Raises
        ------
        RefusedError
            409 with the slug, if the namespace has one of that title.
        """
        _check(title=title, description=description)
        with self._lock:
            for known in self._known.values():
                if (known["owner"]["name"], known["title"]) == (namespace, title):
                    extra = {"slug": known["slug"]}
                    raise RefusedError(409, "A collection of that title exists", extra=extra)
            words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            made = {
                "slug": f"{namespace}/{words}-{secrets.token_hex(12)}",
                "title": title,
                "description": description,
                "owner": {"type": "user", "name": namespace},
                "items": [],
                "position": 0,
                "private": private,
                "theme": "orange",
                "upvotes": 0,
                "lastUpdated": timestamp(),
            }
            self._known[made["slug"]] = made
            return made

    def update(self, slug: str, changes: dict[str, Any]) -> dict[str, Any]:
        _check(title=changes.get("title"), description=changes.get("description"))
        with self._lock:
            known = self.get(slug)
            known.update({name: changes[name] for name in _CHANGEABLE if name in changes})
            return _touched(known)

    def delete(self, slug: str) -> None:
        with self._lock:
            del self._known[self.get(slug)["slug"]]

    def add_item(self, slug: str, id: str, kind: str, note: str | None) -> dict[str, Any]:
        """Add a repository at the end.

        Raises
        ------
        RefusedError
            409, if it is in the collection already.
        """
        _check(note=note)
        with self._lock:
            known = self.get(slug)
            if any((item["id"], item["type"]) == (id, kind) for item in known["items"]):
                raise RefusedError(409, "The item is in the collection already")
            item = {
                "_id": secrets.token_hex(12),
                "id": id,
                "type": kind,
                "position": len(known["items"]),
            }
            known["items"].append({**item, **({"note": {"text": note}} if note else {})})
            return _touched(known)

    def update_item(self, slug: str, item: str, changes: dict[str, Any]) -> None:
        _check(note=changes.get("note"))
        with self._lock:
            known = self.get(slug)
            found = _item(known, item)
            if "note" in changes:
                found["note"] = {"text": changes["note"]}
            if "position" in changes:
                known["items"].remove(found)
                known["items"].insert(changes["position"], found)
            _touched(known)

    def delete_item(self, slug: str, item: str) -> None:
        with self._lock:
            known = self.get(slug)
            known["items"].remove(_item(known, item))
            _touched(known)


def _item(collection: dict[str, Any], id: str) -> dict[str, Any]:
    for item in collection["items"]:
        if item["_id"] == id:
            return item
    raise RefusedError(404, "Item not found")


def _touched(collection: dict[str, Any]) -> dict[str, Any]:
    for position, item in enumerate(collection["items"]):
        item["position"] = position
    collection["lastUpdated"] = timestamp()
    return collection


def _check(
    title: str | None = None, description: str | None = None, note: str | None = None
) -> None:
    for name, text, longest in (
        ("title", title, _LONGEST_TITLE),
        ("description", description, _LONGEST_DESCRIPTION),
        ("note", note, _LONGEST_NOTE),
    ):
        if text is not None and len(text) > longest:
            raise RefusedError(400, f'"{name}" length must be at most {longest} characters long')
