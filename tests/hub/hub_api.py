"""What the Hub's own host answers. Every method has the name of its route."""

from __future__ import annotations

import base64
import codecs
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from .accounts import STRANGER, Accounts, Token
from .card import complaints
from .collected import Collections
from .exchange import Answer, RefusedError, Request, timestamp
from .repositories import Entry, Repositories, Repository, blob_oid, pointer
from .storage import PART, Objects, Passes, Signatures
from .xet import Xet

PAGE, EXPANDED_PAGE = 1000, 50
_MOST_PREUPLOADED = _MOST_LFS = 256
_MOST_PATHS = 1000
# A file of text may be this large, in bytes, and still be kept in git itself.
_LARGEST_REGULAR = 10 * 2**20
_STALE = "A commit has happened since. Please refresh and try again."
_KINDS = {"model": "models", "dataset": "datasets", "space": "spaces", None: "models"}


@dataclass
class HubApi:
    """The Hub.

    Attributes
    ----------
    endpoint, storage_endpoint : str
        Addresses of the two hosts, without a slash at the end.
    """

    endpoint: str
    storage_endpoint: str
    accounts: Accounts
    repositories: Repositories
    collections: Collections
    objects: Objects
    xet: Xet
    signatures: Signatures
    passes: Passes

    # --- accounts and repositories

    def whoami(self, request: Request) -> Answer:
        return Answer.of(self.accounts.whoami(self.accounts.required(request)))

    def create_repo(self, request: Request) -> Answer:
        kind, id = self._named(request, self.accounts.required(request))
        self.accounts.writer(request, id.split("/")[0])
        known = self.repositories.find(kind, id)
        if known is not None:
            told = "You already created this repo"
            raise RefusedError(409, told, extra={"url": self._url(known)})
        private = request.json().get("visibility") == "private"
        made = self.repositories.create(kind, id, private)
        return Answer.of({"url": self._url(made), "name": id, "id": f"{kind}/{id}"})

    def delete_repo(self, request: Request) -> Answer:
        kind, id = self._named(request, self.accounts.required(request))
        known = self._existing(kind, id)
        self.accounts.writer(request, id.split("/")[0])
        self.repositories.delete(known)
        return Answer.of({})

    def repo_info(self, request: Request) -> Answer:
        found = self._readable(request)
        commit = found.revision(request.parts.get("revision", "main"))
        files = [entry for entry in found.tree(commit).values() if not entry.is_folder]
        history = found.history(commit)
        return Answer.of(
            {
                "_id": blob_oid(found.id.encode())[:24],
                "id": found.id,
                "author": found.id.split("/")[0],
                "sha": commit,
                "lastModified": timestamp(history[0].date),
                "createdAt": timestamp(found.created),
                "private": found.private,
                "gated": False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "usedStorage": sum(entry.size or 0 for entry in files),
                "siblings": [_sibling(entry, request.flag("blobs")) for entry in files],
            }
        )

    def refs(self, request: Request) -> Answer:
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": oid}
            for name, oid in self._readable(request).branches().items()
        ]
        return Answer.of({"branches": branches, "converts": [], "tags": [], "pullRequests": []})

    def commits(self, request: Request) -> Answer:
        found = self._readable(request)
        history = found.history(found.revision(request.parts["revision"]))
        rows = [
            {
                "id": commit.oid,
                "title": commit.title,
                "message": commit.message,
                "authors": [{"user": commit.author}],
                "date": timestamp(commit.date),
            }
            for commit in history
        ]
        headers = {"X-Total-Count": str(len(rows))}
        return self._page(request, rows, EXPANDED_PAGE, headers)

    # --- what a repository holds

    def tree(self, request: Request) -> Answer:
        found = self._readable(request)
        commit = found.revision(request.parts["revision"])
        entries = found.tree(commit)
        below = request.parts.get("path", "").strip("/")
        if below and (below not in entries or not entries[below].is_folder):
            raise RefusedError(404, f"{below} does not exist on {commit}", "EntryNotFound")
        start = f"{below}/" if below else ""
        chosen = [entry for path, entry in entries.items() if path.startswith(start)]
        if not request.flag("recursive"):
            chosen = [entry for entry in chosen if "/" not in entry.path[len(start) :]]
        expand = request.flag("expand")
        size = EXPANDED_PAGE if expand else PAGE
        return self._page(request, chosen, size, row=lambda e: self._row(found, commit, e, expand))

    def paths_info(self, request: Request) -> Answer:
        found = self._readable(request)
        commit = found.revision(request.parts["revision"])
        if "json" in (request.headers["Content-Type"] or ""):
            data = request.json()
            paths, expand = data["paths"], bool(data.get("expand"))
        else:
            form = parse_qs(request.body.decode())
            paths, expand = form.get("paths", []), form.get("expand", [""])[0].lower() == "true"
        if len(paths) > _MOST_PATHS:
            raise RefusedError(413, "too many parameters")
        entries = found.tree(commit)
        there = [entries[path] for path in paths if path in entries]
        return Answer.of([self._row(found, commit, entry, expand) for entry in there])

    def resolve(self, request: Request) -> Answer:
        found = self._readable(request)
        commit = found.revision(request.parts["revision"])
        entry = found.entry(commit, request.parts["path"])
        headers = {"X-Repo-Commit": commit}
        if entry.large is None:
            headers["ETag"] = f'"{entry.oid}"'
            return Answer.part(found.blob(entry.oid), request, headers)
        sha256 = entry.large.sha256
        headers |= {
            "ETag": f'"{sha256}"',
            "X-Linked-ETag": f'"{sha256}"',
            "X-Linked-Size": str(entry.large.size),
            "Location": self.storage_endpoint + self.signatures.sign(f"/objects/{sha256}"),
        }
        if hash := self.xet.hash_of(sha256):
            refresh = f"{self.endpoint}/api/{found.kind}/{found.id}/xet-read-token/{commit}"
            headers |= {"X-Xet-Hash": hash, "Link": f'<{refresh}>; rel="xet-auth"'}
        return Answer(302, b"", headers)

    # --- writing

    def validate_yaml(self, request: Request) -> Answer:
        errors, warnings = complaints(request.json()["content"])
        told = {"errors": errors, "warnings": warnings}
        return Answer.of(told, status=400 if errors else 200)

    def preupload(self, request: Request) -> Answer:
        found, _ = self._writable(request)
        commit = found.revision(request.parts["revision"])
        files = request.json()["files"]
        if len(files) > _MOST_PREUPLOADED:
            raise RefusedError(400, f"At most {_MOST_PREUPLOADED} files can be asked for at once")
        entries = found.tree(commit)
        rows = []
        for file in files:
            large = (
                found.is_large(commit, file["path"])
                or file["size"] > _LARGEST_REGULAR
                or not _is_text(base64.b64decode(file["sample"]))
            )
            row = {
                "path": file["path"],
                "uploadMode": "lfs" if large else "regular",
                "shouldIgnore": False,
            }
            known = entries.get(file["path"])
            if known and not known.is_folder:
                row["oid"] = known.large.sha256 if known.large else known.oid
            rows.append(row)
        return Answer.of({"files": rows})

    def commit(self, request: Request) -> Answer:
        found, writer = self._writable(request)
        if request.parts["revision"] != "main" or request.argument("create_pr"):
            raise RefusedError(400, "This server commits to the main branch alone")
        header, written, deleted = self._operations(request.body)
        with found.writing:
            if header.get("parentCommit") not in {None, found.head}:
                raise RefusedError(412, _STALE)
            there = found.tree(found.head)
            for path in deleted:
                if path not in there:
                    told = f'A file with the name "{path}" does not exist'
                    raise RefusedError(404, told, "EntryNotFound")
            made = found.commit(
                written, deleted, header["summary"], header.get("description", ""), writer.user
            )
        url = f"{self._url(found)}/commit/{made}"
        return Answer.of({"success": True, "commitOid": made, "commitUrl": url, "hookOutput": ""})

    def _operations(self, body: bytes) -> tuple[dict[str, Any], dict[str, bytes], list[str]]:
        header: dict[str, Any] | None = None
        written: dict[str, bytes] = {}
        deleted: list[str] = []
        for line in body.splitlines():
            operation = json.loads(line)
            key, value = operation["key"], operation["value"]
            if key == "header":
                header = value
                continue
            path = value["path"].rstrip("/")
            if not path or any(part in {"", ".", "..", ".git"} for part in path.split("/")):
                raise RefusedError(400, f"Invalid path: {path!r}")
            if key == "file":
                written[path] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                if not self.objects.has(value["oid"]):
                    raise RefusedError(
                        400,
                        "Your push was rejected because an LFS pointer pointed to a file that does "
                        f"not exist: {path}, {value['oid']}",
                    )
                written[path] = pointer(value["oid"], self.objects.size(value["oid"]))
            elif key in {"deletedFile", "deletedFolder"}:
                deleted.append(path)
            else:
                raise RefusedError(400, f"Unknown operation {key!r}")
        if header is None or not header.get("summary"):
            raise RefusedError(400, "A commit needs a header with a summary")
        return header, written, deleted

    def another_writer(self, kind: str, id: str) -> None:
        """Commit to a repository as a stranger, so that what others know of it is stale."""
        found = self._existing(kind, id)
        name = f"by-a-stranger-{len(found.history(found.head))}.txt"
        found.commit({name: b"Somebody else was here.\n"}, (), f"Add {name}", "", STRANGER)

    # --- large files

    def xet_write_token(self, request: Request) -> Answer:
        self._writable(request)
        return self._pass("write")

    def xet_read_token(self, request: Request) -> Answer:
        self._readable(request)
        return self._pass("read")

    def _pass(self, scope: str) -> Answer:
        value, expires = self.passes.issue(scope), int(time.time()) + self.passes.LIFETIME
        headers = {
            "X-Xet-Access-Token": value,
            "X-Xet-Token-Expiration": str(expires),
            "X-Xet-Cas-Url": self.storage_endpoint,
        }
        told = {"accessToken": value, "exp": expires, "casUrl": self.storage_endpoint}
        return Answer.of(told, headers=headers)

    def lfs_batch(self, request: Request) -> Answer:
        found, _ = self._writable(request)
        data = request.json()
        if data["operation"] != "upload" or len(data["objects"]) > _MOST_LFS:
            raise RefusedError(400, f"Only uploads of at most {_MOST_LFS} objects are batched")
        rows = [self._lfs_row(found, item["oid"], item["size"]) for item in data["objects"]]
        parts = any(item["size"] > PART for item in data["objects"])
        return Answer.of({"transfer": "multipart" if parts else "basic", "objects": rows})

    def _lfs_row(self, found: Repository, sha256: str, size: int) -> dict[str, Any]:
        row: dict[str, Any] = {"oid": sha256, "size": size}
        if self.objects.has(sha256):
            return row
        sign = self.signatures.sign
        if size <= PART:
            upload: dict[str, Any] = {"href": self.storage_endpoint + sign(f"/lfs/{sha256}")}
        else:
            upload = {
                "href": self.endpoint + sign(f"/api/complete_multipart/{sha256}"),
                "header": {"chunk_size": str(PART)}
                | {
                    f"{number:05d}": self.storage_endpoint + sign(f"/lfs/{sha256}/{number}")
                    for number in range(1, -(-size // PART) + 1)
                },
            }
        verify = f"{self.endpoint}/{found.prefix}{found.id}.git/info/lfs/objects/verify"
        return {**row, "actions": {"upload": upload, "verify": {"href": verify}}}

    def lfs_complete(self, request: Request) -> Answer:
        self.signatures.check(request)
        tags = {part["partNumber"]: part["etag"] for part in request.json()["parts"]}
        self.objects.complete(request.parts["oid"], tags)
        return Answer.of({"success": True})

    def lfs_verify(self, request: Request) -> Answer:
        self._writable(request)
        data = request.json()
        if not self.objects.has(data["oid"]) or self.objects.size(data["oid"]) != data["size"]:
            raise RefusedError(404, f"There is no object {data['oid']} of that size")
        return Answer.of({})

    # --- collections

    def list_collections(self, request: Request) -> Answer:
        owners = request.query.get("owner")
        rows = [
            {**known, "items": known["items"][:4]}
            for known in self.collections.all()
            if not owners or known["owner"]["name"] in owners
        ]
        # The client counts positions itself.
        return self._page(
            request, [{k: v for k, v in row.items() if k != "position"} for row in rows], PAGE
        )

    def create_collection(self, request: Request) -> Answer:
        data = request.json()
        self.accounts.writer(request, data["namespace"])
        made = self.collections.create(
            data["namespace"], data["title"], data.get("description"), data.get("private", False)
        )
        return Answer.of(made)

    def get_collection(self, request: Request) -> Answer:
        token = self.accounts.of(request)
        found = self.collections.get(request.parts["slug"])
        if found["private"] and not self.accounts.sees(token, found["owner"]["name"]):
            raise RefusedError(404, "Collection not found")
        return Answer.of(found)

    def update_collection(self, request: Request) -> Answer:
        changed = self.collections.update(self._own_collection(request), request.json())
        return Answer.of({"success": True, "data": changed})

    def delete_collection(self, request: Request) -> Answer:
        self.collections.delete(self._own_collection(request))
        return Answer.of({"success": True})

    def add_collection_item(self, request: Request) -> Answer:
        slug, data = self._own_collection(request), request.json()
        id, kind = data["item"]["id"], data["item"]["type"]
        if self.repositories.find(_KINDS.get(kind, ""), id) is None:
            raise RefusedError(404, f"There is no {kind} {id}")
        return Answer.of(self.collections.add_item(slug, id, kind, data.get("note")))

    def update_collection_item(self, request: Request) -> Answer:
        slug = self._own_collection(request)
        self.collections.update_item(slug, request.parts["item"], request.json())
        return Answer.of({"success": True})

    def delete_collection_item(self, request: Request) -> Answer:
        self.collections.delete_item(self._own_collection(request), request.parts["item"])
        return Answer.of({"success": True})

    def _own_collection(self, request: Request) -> str:
        found = self.collections.get(request.parts["slug"])
        self.accounts.writer(request, found["owner"]["name"])
        return found["slug"]

    # --- what they share

    def _url(self, found: Repository) -> str:
        return f"{self.endpoint}/{found.prefix}{found.id}"

    def _named(self, request: Request, token: Token) -> tuple[str, str]:
        data = request.json()
        namespace = data.get("organization") or token.user
        return _KINDS[data.get("type")], f"{namespace}/{data['name']}"

    def _existing(self, kind: str, id: str) -> Repository:
        found = self.repositories.find(kind, id)
        if found is None:
            raise RefusedError(404, "Repository not found", "RepoNotFound")
        return found

    def _readable(self, request: Request) -> Repository:
        token = self.accounts.of(request)
        namespace = request.parts["namespace"]
        id = f"{namespace}/{request.parts['name']}"
        found = self._existing(request.parts.get("kind", "models"), id)
        # One that may not be seen is answered as one that is not there.
        if found.private and not self.accounts.sees(token, namespace):
            raise RefusedError(404, "Repository not found", "RepoNotFound")
        return found

    def _writable(self, request: Request) -> tuple[Repository, Token]:
        self.accounts.required(request)
        found = self._readable(request)
        return found, self.accounts.writer(request, request.parts["namespace"])

    def _row(self, found: Repository, commit: str, entry: Entry, expand: bool) -> dict[str, Any]:
        row: dict[str, Any] = {"type": "file", "oid": entry.oid, "size": entry.size}
        if entry.is_folder:
            row = {"type": "directory", "oid": entry.oid, "size": 0}
        row["path"] = entry.path
        if entry.large:
            sha256, size, pointer_size = entry.large
            row["lfs"] = {"oid": sha256, "size": size, "pointerSize": pointer_size}
            if hash := self.xet.hash_of(sha256):
                row["xetHash"] = hash
        if expand:
            last = found.history(commit, entry.path)[0]
            row["lastCommit"] = {
                "id": last.oid,
                "title": last.title,
                "date": timestamp(last.date),
            }
        return row

    def _page(
        self,
        request: Request,
        rows: list[Any],
        size: int,
        headers: dict[str, str] | None = None,
        row: Callable[[Any], Any] = lambda row: row,
    ) -> Answer:
        size = min(size, int(request.argument("limit") or size))
        start = int(request.argument("cursor") or 0)
        sent = dict(headers or {})
        if start + size < len(rows):
            query = {**request.query, "cursor": [str(start + size)]}
            url = f"{self.endpoint}{request.path}?{urlencode(query, doseq=True, quote_via=quote)}"
            sent["Link"] = f'<{url}>; rel="next"'
        return Answer.of([row(one) for one in rows[start : start + size]], headers=sent)


def _sibling(entry: Entry, blobs: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"rfilename": entry.path}
    if blobs:
        row |= {"size": entry.size, "blobId": entry.oid}
        if entry.large:
            sha256, size, pointer_size = entry.large
            row["lfs"] = {"sha256": sha256, "size": size, "pointerSize": pointer_size}
    return row


def _is_text(sample: bytes) -> bool:
    # The sample may end in the middle of a character.
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return b"\0" not in sample
