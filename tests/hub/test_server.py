"""The test server, asked by the true clients, each in a process of its own."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from . import front, xet
from .client import ClientError, call, start
from .faults import Faults
from .repositories import ATTRIBUTES
from .routes import OF_A_REPOSITORY, ROUTES, UPLOADS
from .running import HubServerError, RunningHub
from .storage import PART

REPOSITORY = "tester/data"
WITHOUT_XET = {"HF_HUB_DISABLE_XET": "1"}
CARD = """---
license: mit
configs:
- config_name: resnet18.a1_in1k
  data_files:
  - split: train
    path: data/resnet18.a1_in1k/train.parquet
  - split: test
    path: data/resnet18.a1_in1k/test.parquet
---
Embeddings.
"""

Client = Callable[..., Any]


# --- what clients do, in their own processes


def create(repository: str) -> str:
    from huggingface_hub import HfApi

    return HfApi().create_repo(repository, repo_type="dataset", exist_ok=True)


def push_folder(repository: str, folder: str) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo(repository, repo_type="dataset", exist_ok=True)
    return api.upload_folder(repo_id=repository, repo_type="dataset", folder_path=folder).oid


def push_files(repository: str, files: dict, parent: str | None = None) -> str:
    from huggingface_hub import CommitOperationAdd, HfApi

    operations = [
        CommitOperationAdd(place, source.encode() if "\n" in source else source)
        for place, source in files.items()
    ]
    api = HfApi()
    api.create_repo(repository, repo_type="dataset", exist_ok=True)
    done = api.create_commit(
        repository,
        operations,
        commit_message="Add files",
        commit_description="Two lines\nof text",
        repo_type="dataset",
        parent_commit=parent,
    )
    return done.oid


def snapshot(repository: str, folder: str) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(repository, repo_type="dataset", local_dir=folder)


# --- what they work on


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of every sort: text and not, small and in parts, compressible in each way and not."""
    rng = random.Random(20260510)
    made = tmp_path / "folder"
    numbers = [rng.gauss(0, 1) for _ in range(100_000)]
    contents = {
        "README.md": CARD.encode(),
        "notes/ä b+c#1.txt": "Text in UTF-8: ä × –\n".encode(),
        "data/large.parquet": rng.randbytes(2 * PART + 12_345),
        "data/repeating.parquet": b"the same again and again, " * 20_000,
        "data/floats.parquet": struct.pack(f"<{len(numbers)}f", *numbers) + b"odd",
        "data/small.parquet": rng.randbytes(1000),
        "binary-by-content.dat": b"\0\1\2" * 100,
    }
    for place, content in contents.items():
        path = made / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return made


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file, with the one that the Hub itself puts there."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts]
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }
    return found | {".gitattributes": hashlib.sha256(ATTRIBUTES.encode()).hexdigest()}


def table(rows: int) -> pa.Table:
    values = pa.array([float(i) for i in range(rows * 8)], pa.float32())
    return pa.table(
        {
            "id": pa.array(range(rows), pa.uint32()),
            "label": pa.array([i % 10 for i in range(rows)], pa.int64()),
            "embedding": pa.FixedSizeListArray.from_arrays(values, 8),
        }
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of one model, with the splits that its card names."""
    made = tmp_path / "dataset"
    model = made / "data" / "resnet18.a1_in1k"
    model.mkdir(parents=True)
    pq.write_table(table(300), model / "train.parquet")
    pq.write_table(table(50), model / "test.parquet")
    (made / "README.md").write_text(CARD)
    return made


def ask(
    endpoint: str,
    method: str,
    path: str,
    token: str | None = None,
    body: Any = None,
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request without any client; returns status, headers and body."""
    where = urlsplit(endpoint)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


# --- pushing


@pytest.mark.parametrize("way", ["xet", "lfs"])
def test_a_folder_arrives_and_comes_back_byte_for_byte(
    hub: RunningHub, folder: Path, tmp_path: Path, way: str
) -> None:
    variables = WITHOUT_XET if way == "lfs" else {}
    environment = hub.fresh_environment(**variables)
    commit = call(push_folder, REPOSITORY, str(folder), environment=environment)
    assert hub.files(REPOSITORY) == digests(folder)
    assert [c.title for c in hub.commits(REPOSITORY)] == [
        "Upload folder using huggingface_hub",
        "initial commit",
    ]
    assert hub.commits(REPOSITORY)[0].oid == commit
    used = {record.route for record in hub.requests()}
    assert ("xet_xorb" in used, "lfs_part" in used) == (way == "xet", way == "lfs")
    assert hub.bytes_received() > (folder / "data" / "large.parquet").stat().st_size

    hub.forget_requests()
    assert call(push_folder, REPOSITORY, str(folder), environment=environment) == commit
    assert hub.bytes_received() == 0
    assert len(hub.commits(REPOSITORY)) == 2

    for number, changes in enumerate([variables, WITHOUT_XET]):
        copy = tmp_path / f"copy-{number}"
        fresh = hub.fresh_environment(**changes)
        call(snapshot, REPOSITORY, str(copy), environment=fresh)
        assert digests(copy) == hub.files(REPOSITORY)
    assert (
        hub.read(REPOSITORY, "data/small.parquet")
        == (folder / "data" / "small.parquet").read_bytes()
    )
    assert not hub.leaks()


@pytest.mark.parametrize("way", ["xet", "lfs"])
def test_commits_of_single_files(hub: RunningHub, folder: Path, way: str) -> None:
    environment = hub.fresh_environment(**(WITHOUT_XET if way == "lfs" else {}))
    large = str(folder / "data" / "large.parquet")
    first = call(push_files, REPOSITORY, {"a.parquet": large}, environment=environment)
    sent = hub.bytes_received()
    # The same content at another place, and a small file.
    files = {"b.parquet": large, "README.md": CARD}
    second = call(push_files, REPOSITORY, files, first, environment=environment)
    assert hub.bytes_received() - sent < 5000
    newest, before, _ = hub.commits(REPOSITORY)
    assert (newest.oid, newest.parents, before.oid) == (second, (first,), first)
    assert (newest.title, newest.message) == ("Add files", "Two lines\nof text")
    assert newest.author == hub.namespace
    held = hub.files(REPOSITORY)
    assert held["a.parquet"] == held["b.parquet"] == digests(folder)["data/large.parquet"]
    assert set(hub.files(REPOSITORY, first)) == {".gitattributes", "a.parquet"}


def test_a_repository_is_made_once_and_deleted_once(hub: RunningHub, client: Client) -> None:
    def twice(repository: str) -> list:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

        api = HfApi()
        found = [api.create_repo(repository, repo_type="dataset", private=True)]
        found.append(api.create_repo(repository, repo_type="dataset", exist_ok=True))
        try:
            api.create_repo(repository, repo_type="dataset")
        except HfHubHTTPError as error:
            found.append(error.response.status_code)
        found.append(api.repo_info(repository, repo_type="dataset").private)
        found.append(api.repo_exists(repository))
        api.delete_repo(repository, repo_type="dataset")
        api.delete_repo(repository, repo_type="dataset", missing_ok=True)
        try:
            api.repo_info(repository, repo_type="dataset")
        except RepositoryNotFoundError as error:
            found.append(error.response.status_code)
        return found

    url = f"{hub.endpoint}/datasets/{REPOSITORY}"
    assert client(twice, REPOSITORY) == [url, url, 409, True, False, 404]
    with pytest.raises(HubServerError, match="there is no repository"):
        hub.files(REPOSITORY)


def test_a_commit_on_a_stale_parent_is_refused(hub: RunningHub, client: Client) -> None:
    client(create, REPOSITORY)
    parent = hub.commits(REPOSITORY)[0].oid
    hub.fail("commit", another_writer=True)
    with pytest.raises(ClientError, match="A commit has happened since") as refused:
        client(push_files, REPOSITORY, {"a.txt": "a\n"}, parent)
    assert refused.value.status == 412
    stranger = hub.commits(REPOSITORY)[0]
    assert (stranger.author, stranger.parents) == ("stranger", (parent,))
    assert "a.txt" not in hub.files(REPOSITORY)
    # Without a parent it goes on top of whatever is there.
    client(push_files, REPOSITORY, {"a.txt": "a\n"})
    assert {"a.txt", "by-a-stranger-1.txt"} < set(hub.files(REPOSITORY))


def test_files_and_folders_are_deleted(hub: RunningHub, client: Client) -> None:
    def delete(repository: str) -> list:
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.errors import EntryNotFoundError

        api = HfApi()
        api.create_repo(repository, repo_type="dataset")
        places = ["one.txt", "two.txt", "folder/a.txt", "folder/b/c.txt"]
        operations = [CommitOperationAdd(place, b"text\n") for place in places]
        api.create_commit(repository, operations, commit_message="Add", repo_type="dataset")
        api.delete_file("one.txt", repository, repo_type="dataset")
        api.delete_folder("folder", repository, repo_type="dataset")
        try:
            api.delete_file("one.txt", repository, repo_type="dataset")
        except EntryNotFoundError as error:
            missing = error.response.status_code
        return [api.list_repo_files(repository, repo_type="dataset"), missing]

    assert client(delete, REPOSITORY) == [[".gitattributes", "two.txt"], 404]


def test_a_pointer_to_nothing_is_refused(hub: RunningHub) -> None:
    hub.write(f"{hub.namespace}/data", "a.txt", b"a\n")
    lines = [
        {"key": "header", "value": {"summary": "Add", "description": ""}},
        {
            "key": "lfsFile",
            "value": {"path": "a.parquet", "algo": "sha256", "oid": "0" * 64, "size": 1},
        },
    ]
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    path = f"/api/datasets/{REPOSITORY}/commit/main"
    status, headers, _ = ask(hub.endpoint, "POST", path, hub.token, body)
    assert status == 400
    assert "an LFS pointer pointed to a file that does not exist" in headers["X-Error-Message"]
    assert "a.parquet" not in hub.files(REPOSITORY)


def test_cards_are_checked(hub: RunningHub, client: Client) -> None:
    with pytest.raises(ClientError, match=r"Invalid metadata in README\.md") as refused:
        client(push_files, REPOSITORY, {"README.md": "---\na: 1\n"})
    assert refused.value.kind == "ValueError"
    with pytest.raises(ClientError, match="duplicated mapping key 'license'"):
        client(push_files, REPOSITORY, {"README.md": "---\nlicense: a\nlicense: b\n---\n"})
    client(push_files, REPOSITORY, {"README.md": "No front matter.\n"})
    assert [record.status for record in hub.requests("validate_yaml")] == [400, 400, 200]


# --- listing and reading


def test_listings_come_in_pages(hub: RunningHub, client: Client) -> None:
    def fill_and_list(repository: str, count: int) -> dict:
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.hf_api import RepoFolder

        api = HfApi()
        api.create_repo(repository, repo_type="dataset")
        operations = [CommitOperationAdd(f"{i % 3}/{i:04d}.txt", b"%d\n" % i) for i in range(count)]
        api.create_commit(repository, operations, commit_message="Add", repo_type="dataset")
        kind = {"repo_type": "dataset"}
        whole = list(api.list_repo_tree(repository, recursive=True, **kind))
        top = list(api.list_repo_tree(repository, **kind))
        below = list(api.list_repo_tree(repository, "1", expand=True, **kind))
        some = api.get_paths_info(repository, ["0/0000.txt", "2", "missing"], **kind)
        info = api.repo_info(repository, files_metadata=True, **kind)
        refs = api.list_repo_refs(repository, **kind)
        return {
            "files": sum(not isinstance(entry, RepoFolder) for entry in whole),
            "folders": sum(isinstance(entry, RepoFolder) for entry in whole),
            "top": [entry.path for entry in top],
            "below": len(below),
            "titles": sorted({entry.last_commit.title for entry in below}),
            "some": [entry.path for entry in some],
            "sizes": sum(sibling.size for sibling in info.siblings),
            "branch": [refs.branches[0].name, refs.branches[0].target_commit == info.sha],
            "commits": [commit.title for commit in api.list_repo_commits(repository, **kind)],
        }

    count = 1100
    told = client(fill_and_list, REPOSITORY, count)
    assert told["files"] == count + 1
    assert told["folders"] == 3
    assert told["top"] == [".gitattributes", "0", "1", "2"]
    assert told["below"] == len(range(1, count, 3))
    assert told["titles"] == ["Add"]
    assert told["some"] == ["0/0000.txt", "2"]
    assert told["sizes"] == len(ATTRIBUTES) + sum(len(f"{i}\n") for i in range(count))
    assert told["branch"] == ["main", True]
    assert told["commits"] == ["Add", "initial commit"]
    # 1,104 entries in pages of 1,000; the top; 367 in pages of 50.
    assert len(hub.requests("tree")) == 2 + 1 + 8


def test_load_dataset(hub: RunningHub, client: Client, dataset: Path) -> None:
    def load(repository: str, model: str) -> dict:
        import datasets

        whole = datasets.load_dataset(repository, model)
        streamed = datasets.load_dataset(repository, model, split="test", streaming=True)
        rows = list(streamed)
        return {
            "rows": {split: rows.num_rows for split, rows in whole.items()},
            "streamed": len(rows),
            "last": rows[-1],
            "same": rows[-1] == whole["test"][-1],
        }

    client(push_folder, REPOSITORY, str(dataset))
    hub.forget_requests()
    told = client(load, REPOSITORY, "resnet18.a1_in1k")
    assert told["rows"] == {"train": 300, "test": 50}
    assert (told["streamed"], told["same"]) == (50, True)
    assert told["last"] == table(50).to_pylist()[-1]
    assert not hub.leaks()
    # Streaming reads from the other host in ranges, and whole files come through Xet.
    assert {record.status for record in hub.requests("download")} == {206}
    assert len(hub.requests("xet_fetch")) >= 2


def test_ranges_through_the_file_system_and_what_is_built_on_it(
    hub: RunningHub, client: Client, dataset: Path
) -> None:
    def read(repository: str, path: str, local: str) -> dict:
        import os
        from pathlib import Path

        import duckdb
        import polars
        import pyarrow.parquet
        from huggingface_hub import HfFileSystem

        place = f"datasets/{repository}/{path}"
        files = HfFileSystem()
        with files.open(place, "rb", block_size=256) as file:
            file.seek(1000)
            piece = file.read(100)
        with files.open(place) as file:
            footer = pyarrow.parquet.read_metadata(file).num_rows
        connection = duckdb.connect()
        connection.register_filesystem(files)
        query = f"SELECT count(*) FROM 'hf://datasets/{repository}/data/*/*.parquet'"
        # Polars' own hf:// knows one Hub alone, by its name; elsewhere it reads plain addresses.
        url = f"{os.environ['HF_ENDPOINT']}/datasets/{repository}/resolve/main/{path}"
        rows = polars.scan_parquet(url).filter(polars.col("id") >= 290).collect()
        return {
            "piece": piece == Path(local).read_bytes()[1000:1100],
            "footer": footer,
            "glob": files.glob(f"datasets/{repository}/**/*.parquet"),
            "duckdb": connection.sql(query).fetchall(),
            "polars": rows.height,
        }

    client(push_folder, REPOSITORY, str(dataset))
    hub.forget_requests()
    path = "data/resnet18.a1_in1k/train.parquet"
    told = client(read, REPOSITORY, path, str(dataset / path))
    assert told == {
        "piece": True,
        "footer": 300,
        "glob": [
            f"datasets/{REPOSITORY}/data/resnet18.a1_in1k/test.parquet",
            f"datasets/{REPOSITORY}/{path}",
        ],
        "duckdb": [[350]],
        "polars": 10,
    }
    assert not hub.leaks()


def test_polars_reads_its_own_addresses(
    hub: RunningHub, client: Client, dataset: Path, tmp_path: Path
) -> None:
    def read(repository: str, path: str) -> list:
        import polars

        place = f"hf://datasets/{repository}"
        one = polars.scan_parquet(f"{place}/{path}").filter(polars.col("id") >= 290)
        return [
            one.select("embedding").collect().height,
            polars.scan_parquet(f"{place}/data/*/*.parquet").collect().height,
        ]

    if reason := front.why_not():
        pytest.skip(reason)
    client(push_folder, REPOSITORY, str(dataset))
    hub.forget_requests()
    path = "data/resnet18.a1_in1k/train.parquet"
    with front.true_name(hub, tmp_path / "certificates") as variables:
        environment = hub.fresh_environment(**variables)
        assert call(read, REPOSITORY, path, environment=environment) == [10, 350]
    # The token goes with what is asked of the Hub, and no further.
    assert {hub.token in record.text for record in hub.requests(host="hub")} == {True}
    assert not hub.leaks()


def test_ranges_and_entity_tags(hub: RunningHub, client: Client, folder: Path) -> None:
    client(push_folder, REPOSITORY, str(folder))
    head = hub.commits(REPOSITORY)[0].oid
    base = f"/datasets/{REPOSITORY}/resolve/main"

    status, headers, body = ask(hub.endpoint, "GET", f"{base}/README.md", Range="bytes=4-10")
    assert (status, body) == (206, CARD.encode()[4:11])
    assert headers["Content-Range"] == f"bytes 4-10/{len(CARD)}"
    assert headers["X-Repo-Commit"] == head
    status, headers, body = ask(hub.endpoint, "HEAD", f"{base}/README.md")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(CARD)))

    content = (folder / "data" / "large.parquet").read_bytes()
    status, headers, _ = ask(hub.endpoint, "HEAD", f"{base}/data/large.parquet")
    assert status == 302
    assert headers["X-Linked-Size"] == str(len(content))
    assert headers["X-Linked-ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert 'rel="xet-auth"' in headers["Link"]
    assert len(headers["X-Xet-Hash"]) == 64
    there = urlsplit(headers["Location"])
    assert there.hostname != urlsplit(hub.endpoint).hostname
    signed = f"{there.path}?{there.query}"
    for wanted, expected in {"bytes=-7": content[-7:], "bytes=5-": content[5:]}.items():
        status, _, body = ask(hub.storage_endpoint, "GET", signed, Range=wanted)
        assert (status, body) == (206, expected)
    status, _, _ = ask(hub.storage_endpoint, "GET", signed, Range=f"bytes={len(content)}-")
    assert status == 416
    status, _, _ = ask(hub.storage_endpoint, "GET", there.path)
    assert status == 403

    status, headers, _ = ask(hub.endpoint, "GET", f"{base}/missing.txt")
    assert (status, headers["X-Error-Code"]) == (404, "EntryNotFound")
    wrong = f"/datasets/{REPOSITORY}/resolve/no-such-branch/README.md"
    status, headers, _ = ask(hub.endpoint, "GET", wrong)
    assert (status, headers["X-Error-Code"]) == (404, "RevisionNotFound")


def test_ranges_of_a_file_in_xorbs(hub: RunningHub, client: Client, folder: Path) -> None:
    client(push_folder, REPOSITORY, str(folder))
    content = (folder / "data" / "large.parquet").read_bytes()
    path = f"/datasets/{REPOSITORY}/resolve/main/data/large.parquet"
    hash = ask(hub.endpoint, "HEAD", path)[1]["X-Xet-Hash"]
    path = f"/api/datasets/{REPOSITORY}/xet-read-token/main"
    key = json.loads(ask(hub.endpoint, "GET", path)[2])["accessToken"]
    path = f"/v1/reconstructions/{hash}"
    for first, last in [(0, 0), (100_000, 200_000), (3_000_000, len(content) - 1)]:
        wanted = f"bytes={first}-{last}"
        status, _, body = ask(hub.storage_endpoint, "GET", path, key, Range=wanted)
        assert status == 200
        told = json.loads(body)
        found = b"".join(fetched(hub, told, term) for term in told["terms"])
        skipped = told["offset_into_first_range"]
        assert found[skipped : skipped + last - first + 1] == content[first : last + 1]
        # No more than a chunk on either side is sent for nothing.
        assert len(found) <= last - first + 1 + 2 * 128 * 2**10
    status, _, _ = ask(hub.storage_endpoint, "GET", path, key, Range=f"bytes={len(content)}-")
    assert status == 416


def fetched(hub: RunningHub, told: dict[str, Any], term: dict[str, Any]) -> bytes:
    """Return the content of one term of a reconstruction."""
    inside = term["range"]
    for fetch in told["fetch_info"][term["hash"]]:
        at = fetch["range"]["start"]
        if not at <= inside["start"] < inside["end"] <= fetch["range"]["end"]:
            continue
        there, part = urlsplit(fetch["url"]), fetch["url_range"]
        url, span = f"{there.path}?{there.query}", f"bytes={part['start']}-{part['end']}"
        status, _, body = ask(hub.storage_endpoint, "GET", url, Range=span)
        assert status == 206
        chunks = [body[chunk.start : chunk.stop] for chunk in xet.read_chunks(body)]
        wanted = chunks[inside["start"] - at : inside["end"] - at]
        content = b"".join(xet.unpacked(chunk) for chunk in wanted)
        assert len(content) == term["unpacked_length"]
        return content
    raise AssertionError(f"nothing to fetch for {term}")


# --- collections


def test_collections(hub: RunningHub, client: Client) -> None:
    def collect(repository: str) -> dict:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        api = HfApi()
        api.create_repo(repository, repo_type="dataset")
        made = api.create_collection("Latents of models", description="All of them")
        again = api.create_collection("Latents of models", exists_ok=True)
        for _ in range(2):
            full = api.add_collection_item(
                made.slug, repository, "dataset", note="MNIST", exists_ok=True
            )
        statuses = []
        for id, kind in [(repository, "dataset"), ("tester/missing", "dataset")]:
            try:
                api.add_collection_item(made.slug, id, kind)
            except HfHubHTTPError as error:
                statuses.append(error.response.status_code)
        item = full.items[0]
        api.update_collection_item(made.slug, item.item_object_id, note="Digits")
        changed = api.update_collection_metadata(made.slug, title="Latents", description="Few")
        listed = [found.slug for found in api.list_collections(owner="tester")]
        note = api.get_collection(made.slug).items[0].note
        api.delete_collection_item(made.slug, item.item_object_id)
        empty = api.get_collection(made.slug).items
        other = api.create_collection("Other")
        api.delete_collection(other.slug)
        api.delete_collection(other.slug, missing_ok=True)
        return {
            "same": made.slug == again.slug,
            "items": [[i.item_id, i.item_type, i.note] for i in full.items],
            "statuses": statuses,
            "title": changed.title,
            "listed": listed == [made.slug],
            "note": note,
            "empty": empty,
        }

    assert client(collect, REPOSITORY) == {
        "same": True,
        "items": [[REPOSITORY, "dataset", "MNIST"]],
        "statuses": [409, 404],
        "title": "Latents",
        "listed": True,
        "note": "Digits",
        "empty": [],
    }
    (left,) = hub.collections()
    assert (left["title"], left["description"], left["items"]) == ("Latents", "Few", [])


# --- accounts


def test_what_tokens_are_for(hub: RunningHub, client: Client) -> None:
    def try_everything(own: str, organisation: str, tokens: dict, namespaces: dict) -> dict:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        def outcome(function, *arguments, **options):
            try:
                function(*arguments, **options)
            except HfHubHTTPError as error:
                return [error.response.status_code, type(error).__name__]
            return "done"

        def upload(token):
            return outcome(
                HfApi(token=token).upload_file,
                path_or_fileobj=b"text\n",
                path_in_repo="a.txt",
                repo_id=own,
                repo_type="dataset",
            )

        kind = {"repo_type": "dataset"}
        api = HfApi(token=tokens["write"])
        api.create_repo(own, private=True, **kind)
        api.create_repo(organisation, **kind)
        return {
            "whoami": {name: outcome(HfApi(token=t).whoami) for name, t in tokens.items()},
            "read": {
                name: outcome(HfApi(token=t).repo_info, own, **kind) for name, t in tokens.items()
            },
            "upload": {name: upload(token) for name, token in tokens.items()},
            "create": {
                name: outcome(api.create_repo, f"{space}/new", **kind)
                for name, space in namespaces.items()
            },
            "exist_ok": outcome(
                api.create_repo, f"{namespaces['stranger']}/new", exist_ok=True, **kind
            ),
            "organisations": [found["name"] for found in api.whoami()["orgs"]],
            "missing": outcome(api.repo_info, "tester/missing", **kind),
        }

    tokens = {
        "write": hub.token,
        "read": hub.read_token,
        "expired": hub.expired_token,
        "stranger": hub.stranger_token,
        "wrong": "hf_of_nobody",
    }
    spaces = {"library": hub.read_only_namespace, "stranger": hub.forbidden_namespace}
    told = client(try_everything, REPOSITORY, f"{hub.organisation}/data", tokens, spaces)
    unauthorised, forbidden = [401, "HfHubHTTPError"], [403, "HfHubHTTPError"]
    hidden = [404, "RepositoryNotFoundError"]
    invalid = {"expired": unauthorised, "wrong": unauthorised}
    assert told["whoami"] == {"write": "done", "read": "done", "stranger": "done", **invalid}
    assert told["read"] == {"write": "done", "read": "done", "stranger": hidden, **invalid}
    assert told["upload"] == {"write": "done", "read": forbidden, "stranger": hidden, **invalid}
    assert told["create"] == {"library": forbidden, "stranger": forbidden}
    assert told["exist_ok"] == forbidden
    assert told["organisations"] == [hub.organisation, hub.read_only_namespace]
    assert told["missing"] == hidden


def test_a_token_of_the_hub_is_refused_by_storage(hub: RunningHub) -> None:
    path = f"/v1/reconstructions/{'0' * 64}"
    assert not hub.leaks()
    status, headers, _ = ask(hub.storage_endpoint, "GET", path, hub.token)
    assert (status, headers["X-Error-Message"]) == (
        400,
        "A token of the Hub was sent to the host of storage",
    )
    ask(hub.storage_endpoint, "GET", f"{path}?token={hub.read_token}")
    assert [record.route for record in hub.leaks()] == ["xet_reconstruction"] * 2
    status, _, _ = ask(hub.storage_endpoint, "GET", path, "xet_of_nobody")
    assert status == 401


# --- faults

_HASH = "0" * 64
_REPO = f"/api/datasets/{REPOSITORY}"
_PLAIN = f"/datasets/{REPOSITORY}"
# A request of each name. None is carried out where what goes wrong goes wrong before that.
EXAMPLES = {
    "whoami": ("GET", "/api/whoami-v2"),
    "create_repo": ("POST", "/api/repos/create"),
    "delete_repo": ("DELETE", "/api/repos/delete"),
    "validate_yaml": ("POST", "/api/validate-yaml"),
    "repo_info": ("GET", f"{_REPO}/revision/main"),
    "tree": ("GET", f"{_REPO}/tree/main/data%2Fa?recursive=true"),
    "paths_info": ("POST", f"{_REPO}/paths-info/main"),
    "commits": ("GET", f"{_REPO}/commits/main"),
    "refs": ("GET", f"{_REPO}/refs"),
    "preupload": ("POST", f"{_REPO}/preupload/main"),
    "commit": ("POST", f"{_REPO}/commit/main"),
    "xet_write_token": ("GET", f"{_REPO}/xet-write-token/main"),
    "xet_read_token": ("GET", f"{_REPO}/xet-read-token/main"),
    "resolve": ("GET", f"{_PLAIN}/resolve/main/a.txt"),
    "lfs_batch": ("POST", f"{_PLAIN}.git/info/lfs/objects/batch"),
    "lfs_verify": ("POST", f"{_PLAIN}.git/info/lfs/objects/verify"),
    "lfs_complete": ("POST", f"/api/complete_multipart/{_HASH}"),
    "list_collections": ("GET", "/api/collections?owner=tester"),
    "create_collection": ("POST", "/api/collections"),
    "get_collection": ("GET", "/api/collections/tester/latents-1"),
    "update_collection": ("PATCH", "/api/collections/tester/latents-1"),
    "delete_collection": ("DELETE", "/api/collections/tester/latents-1"),
    "add_collection_item": ("POST", "/api/collections/tester/latents-1/items"),
    "update_collection_item": ("PATCH", "/api/collections/tester/latents-1/items/1"),
    "delete_collection_item": ("DELETE", "/api/collections/tester/latents-1/items/1"),
    "lfs_put": ("PUT", f"/lfs/{_HASH}"),
    "lfs_part": ("PUT", f"/lfs/{_HASH}/1"),
    "download": ("GET", f"/objects/{_HASH}"),
    "xet_chunk": ("GET", f"/v1/chunks/default/{_HASH}"),
    "xet_grant": ("POST", f"/v1/xorb-grants/default/{_HASH}"),
    "xet_xorb": ("POST", f"/v1/xorbs/default/{_HASH}"),
    "xet_shard_v2": ("POST", "/v2/shards"),
    "xet_shard": ("POST", "/v1/shards"),
    "xet_reconstruction_v2": ("GET", f"/v2/reconstructions/{_HASH}"),
    "xet_reconstruction": ("GET", f"/v1/reconstructions/{_HASH}"),
    "xet_fetch": ("GET", f"/xorbs/{_HASH}"),
}


def test_every_route_fails_as_it_is_told_to(hub: RunningHub) -> None:
    assert tuple(EXAMPLES) == ROUTES
    assert set(UPLOADS) | set(OF_A_REPOSITORY) <= set(ROUTES)
    for route, (method, path) in EXAMPLES.items():
        storage = route.startswith(("xet_", "lfs_p", "download")) and "token" not in route
        endpoint = hub.storage_endpoint if storage else hub.endpoint
        body = b"x" * 200_000 if method in {"POST", "PUT", "PATCH"} else None
        hub.fail(route, status=500, times=2)
        hub.fail(route, status=429, after=1)
        hub.fail(route, reset=True)
        hub.fail(route, lose_answer=True)
        for _ in range(2):
            assert ask(endpoint, method, path, body=body)[0] == 500, route
        # One is let through.
        assert ask(endpoint, method, path, body=body)[0] < 500, route
        status, headers, _ = ask(endpoint, method, path, body=body)
        assert (status, headers["RateLimit"]) == (429, '"api";r=0;t=1'), route
        for _ in range(2):
            with pytest.raises((http.client.HTTPException, OSError)):
                ask(endpoint, method, path, body=body)
        told = [(record.status, record.fault) for record in hub.requests(route)]
        assert [fault for _, fault in told] == [
            *("status 500", "status 500", None, "status 429", "reset", "lose answer")
        ], route
        received = [record.received for record in hub.requests(route)]
        size = len(body or b"")
        assert received == [size, size, size, size, size // 2, size], route
    assert not hub.pending_faults()
    with pytest.raises(HubServerError, match="no route 'comit'"):
        hub.fail("comit", status=500)
    hub.fail("tree", status=500, times=None)
    hub.clear_faults()
    assert not hub.pending_faults()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"route": "comit", "status": 500}, "no route 'comit'"),
        ({"route": "commit"}, "without anything that goes wrong"),
        ({"route": "commit", "status": 500, "reset": True}, "only one can happen"),
        ({"route": "whoami", "another_writer": True}, "names no repository"),
        ({"route": "commit", "status": 999}, "999 is no status of HTTP"),
        ({"route": "commit", "explode": True}, "unexpected keyword argument 'explode'"),
    ],
)
def test_faults_that_make_no_sense(fault: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        Faults().add(**fault)


def test_a_commit_whose_answer_is_lost_was_made(hub: RunningHub, client: Client) -> None:
    client(create, REPOSITORY)
    parent = hub.commits(REPOSITORY)[0].oid
    hub.fail("commit", lose_answer=True)
    with pytest.raises(ClientError) as lost:
        client(push_files, REPOSITORY, {"a.txt": "a\n"}, parent)
    assert lost.value.kind in {"RemoteProtocolError", "ReadError"}
    assert [commit.title for commit in hub.commits(REPOSITORY)] == ["Add files", "initial commit"]
    assert hub.read(REPOSITORY, "a.txt") == b"a\n"
    # A commit that is refused, in whatever way, is not made.
    for fault in ({"status": 500}, {"reset": True}, {"status": 429}):
        hub.fail("commit", **fault)
        with pytest.raises(ClientError):
            client(push_files, REPOSITORY, {"b.txt": "b\n"})
    assert len(hub.commits(REPOSITORY)) == 2


def test_what_the_clients_survive_by_themselves(
    hub: RunningHub, client: Client, folder: Path
) -> None:
    hub.fail("preupload", status=429)
    hub.fail("xet_write_token", status=503)
    hub.fail("xet_xorb", status=500, times=2)
    hub.fail("xet_xorb", reset=True)
    hub.fail("xet_xorb", lose_answer=True)
    hub.fail("xet_shard", reset=True)
    hub.fail("xet_shard", delay=0.2)
    client(push_folder, REPOSITORY, str(folder))
    assert not hub.pending_faults()
    assert hub.files(REPOSITORY) == digests(folder)
    assert len(hub.commits(REPOSITORY)) == 2
    xorbs = hub.requests("xet_xorb")
    assert [x.fault for x in xorbs] == ["status 500"] * 2 + ["reset", "lose answer", None]
    assert xorbs[2].received < xorbs[1].received == xorbs[4].received
    assert xorbs[2].status == xorbs[3].status == 0


@pytest.mark.parametrize(("route", "way"), [("xet_xorb", "xet"), ("lfs_put", "lfs")])
def test_storage_that_is_full(hub: RunningHub, dataset: Path, route: str, way: str) -> None:
    environment = hub.fresh_environment(**(WITHOUT_XET if way == "lfs" else {}))
    hub.fail(route, status=507, times=None)
    with pytest.raises(ClientError, match="507"):
        call(push_folder, REPOSITORY, str(dataset), environment=environment)
    assert len(hub.commits(REPOSITORY)) == 1
    hub.clear_faults()
    call(push_folder, REPOSITORY, str(dataset), environment=environment)
    assert hub.files(REPOSITORY) == digests(dataset)


def test_the_server_outlives_a_client_that_is_killed(
    hub: RunningHub, client: Client, folder: Path
) -> None:
    hub.fail("xet_xorb", delay=60)
    process = start(push_folder, REPOSITORY, str(folder), environment=hub.environment)
    try:
        while not hub.requests("xet_xorb"):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    assert len(hub.commits(REPOSITORY)) == 1
    client(push_folder, REPOSITORY, str(folder))
    assert hub.files(REPOSITORY) == digests(folder)


def test_environments_are_separate_and_reach_nothing_else(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    first, second = hub.fresh_environment(), hub.fresh_environment(token="", HF_DEBUG="1")
    assert first["HF_HOME"] != second["HF_HOME"]
    assert not os.listdir(first["HF_HOME"])  # noqa: PTH208
    assert first["HF_TOKEN"] == hub.token and "HF_TOKEN" not in second
    assert second["HF_DEBUG"] == "1"
    assert not {"HTTPS_PROXY", "HF_HUB_OFFLINE"} & set(first)
