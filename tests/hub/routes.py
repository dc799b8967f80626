"""Every request that the server knows has a name: faults and counters go by it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

HUB, STORAGE = "hub", "storage"
UNKNOWN = "unknown"

_KIND = r"(?P<kind>models|datasets|spaces)"
_NAMED = r"(?P<namespace>[^/]+)/(?P<name>[^/]+?)"
_API = rf"/api/{_KIND}/{_NAMED}"
# Outside /api, models have no prefix.
_PLAIN = rf"/(?:(?P<kind>datasets|spaces)/)?{_NAMED}"
_REVISION = r"(?P<revision>[^/]+)"
_COLLECTION = r"/api/collections/(?P<slug>[^/]+/[^/]+)"
_ITEM = rf"{_COLLECTION}/items/(?P<item>[^/]+)"
_OID = r"(?P<oid>[0-9a-f]{64})"


class Route(NamedTuple):
    """A named request; the pattern is matched against the path as it was sent, still quoted."""

    name: str
    host: str
    methods: tuple[str, ...]
    pattern: re.Pattern[str]


def _route(name: str, host: str, methods: str, pattern: str) -> Route:
    return Route(name, host, tuple(methods.split("|")), re.compile(pattern))


_TABLE = (
    _route("whoami", HUB, "GET", r"/api/whoami-v2"),
    _route("create_repo", HUB, "POST", r"/api/repos/create"),
    _route("delete_repo", HUB, "DELETE", r"/api/repos/delete"),
    _route("validate_yaml", HUB, "POST", r"/api/validate-yaml"),
    _route("repo_info", HUB, "GET", rf"{_API}(?:/revision/{_REVISION})?"),
    _route("tree", HUB, "GET", rf"{_API}/tree/{_REVISION}(?:/(?P<path>.*))?"),
    _route("paths_info", HUB, "POST", rf"{_API}/paths-info/{_REVISION}"),
    _route("commits", HUB, "GET", rf"{_API}/commits/{_REVISION}"),
    _route("refs", HUB, "GET", rf"{_API}/refs"),
    _route("preupload", HUB, "POST", rf"{_API}/preupload/{_REVISION}"),
    _route("commit", HUB, "POST", rf"{_API}/commit/{_REVISION}"),
    _route("xet_write_token", HUB, "GET", rf"{_API}/xet-write-token/{_REVISION}"),
    _route("xet_read_token", HUB, "GET", rf"{_API}/xet-read-token/{_REVISION}"),
    _route("resolve", HUB, "GET|HEAD", rf"{_PLAIN}/resolve/{_REVISION}/(?P<path>.+)"),
    _route("lfs_batch", HUB, "POST", rf"{_PLAIN}\.git/info/lfs/objects/batch"),
    _route("lfs_verify", HUB, "POST", rf"{_PLAIN}\.git/info/lfs/objects/verify"),
    _route("lfs_complete", HUB, "POST", rf"/api/complete_multipart/{_OID}"),
    _route("list_collections", HUB, "GET", r"/api/collections"),
    _route("create_collection", HUB, "POST", r"/api/collections"),
    _route("get_collection", HUB, "GET", _COLLECTION),
    _route("update_collection", HUB, "PATCH", _COLLECTION),
    _route("delete_collection", HUB, "DELETE", _COLLECTION),
    _route("add_collection_item", HUB, "POST", rf"{_COLLECTION}/items"),
    _route("update_collection_item", HUB, "PATCH", _ITEM),
    _route("delete_collection_item", HUB, "DELETE", _ITEM),
    _route("lfs_put", STORAGE, "PUT", rf"/lfs/{_OID}"),
    _route("lfs_part", STORAGE, "PUT", rf"/lfs/{_OID}/(?P<part>\d+)"),
    _route("download", STORAGE, "GET|HEAD", rf"/objects/{_OID}"),
    _route("xet_chunk", STORAGE, "GET", rf"/v1/chunks/default/{_OID}"),
    _route("xet_grant", STORAGE, "POST", rf"/v1/xorb-grants/default/{_OID}"),
    _route("xet_xorb", STORAGE, "POST", rf"/v1/xorbs/default/{_OID}"),
    _route("xet_shard_v2", STORAGE, "POST", r"/v2/shards"),
    _route("xet_shard", STORAGE, "POST", r"/v1/shards"),
    _route("xet_reconstruction_v2", STORAGE, "GET", rf"/v2/reconstructions/{_OID}"),
    _route("xet_reconstruction", STORAGE, "GET", rf"/v1/reconstructions/{_OID}"),
    _route("xet_fetch", STORAGE, "GET", rf"/xorbs/{_OID}"),
)

ROUTES = tuple(route.name for route in _TABLE)
# Those whose body is content of files.
UPLOADS = ("commit", "lfs_put", "lfs_part", "xet_xorb")
# Those that name a repository in their path.
OF_A_REPOSITORY = tuple(
    route.name for route in _TABLE if {"namespace", "name"} <= set(route.pattern.groupindex)
)


def match(host: str, method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return a request's name and what its path says, unquoted.

    Parameters
    ----------
    host : str
        HUB or STORAGE.
    method : str
    path : str
        Without the query, quoted.
    """
    for route in _TABLE:
        if route.host == host and method in route.methods:
            found = route.pattern.fullmatch(path)
            if found:
                parts = {k: unquote(v) for k, v in found.groupdict().items() if v is not None}
                return route.name, parts
    return UNKNOWN, {}
