"""A push, and what can go wrong with it: it ends whole, sends nothing twice, deletes nothing."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .client import ClientError, call, start
from .running import RunningHub

REPOSITORY = "tester/semasia-digits"
FILES, SIZE, BATCH = 24, 300_000, 5
Client = Callable[..., Any]


def send(repository: str, folder: str, attempts: int = 5) -> dict:
    import logging
    from pathlib import Path

    from huggingface_hub import HfApi

    from semasia.config.hub import Hub
    from semasia.hub import LocalFile, Retrying
    from semasia.publishing.card import MARK
    from semasia.publishing.repositories import (
        Wanted,
        publish,
        publish_collection,
        signed_in,
    )

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    paths = sorted(Path(folder).rglob("*.parquet"))
    files = tuple(LocalFile.of(f"data/{p.relative_to(folder)}", p) for p in paths)

    def card(places, before):
        return "\n".join([MARK, *sorted(p for p in places if p.startswith("data/"))])

    hub = Hub(namespace=repository.split("/")[0], files_per_commit=5)
    api, retrying = HfApi(), Retrying(attempts=attempts, longest=0.5)
    signed_in(api, retrying)
    pushed = publish(api, hub, Wanted(repository, "Files", files, card), retrying)
    publish_collection(api, hub, {repository: "a note"}, retrying)
    return {"commit": pushed.commit, "sent": [f.place for f in pushed.sent]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of files that nothing can compress."""
    folder = tmp_path_factory.mktemp("files")
    noise = random.Random(0)
    for i in range(FILES):
        path = folder / f"model{i // 2}" / ("test.parquet" if i % 2 else "train.parquet")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(noise.randbytes(SIZE))
    return folder


def whole(hub: RunningHub, folder: Path) -> None:
    """Assert that all is there, once, and that no card ever named what was not."""
    there = hub.files(REPOSITORY)
    assert {p for p in there if p.startswith("data/")} == {
        f"data/{p.relative_to(folder)}" for p in folder.rglob("*.parquet")
    }
    for path in folder.rglob("*.parquet"):
        assert hub.read(REPOSITORY, f"data/{path.relative_to(folder)}") == path.read_bytes()
    added: dict[str, int] = {}
    held: dict[str, str] = {}
    for commit in reversed(hub.commits(REPOSITORY)):
        files = hub.files(REPOSITORY, commit.oid)
        assert set(held) <= set(files), "something was deleted"
        for path in files.keys() - held.keys():
            added[path] = added.get(path, 0) + 1
        held = files
        if "README.md" in files:
            card = hub.read(REPOSITORY, "README.md", commit.oid).decode()
            assert set(re.findall(r"data/\S+", card)) <= set(files)
    assert set(added.values()) == {1}
    assert not hub.leaks()


def commits_of_ours(hub: RunningHub) -> int:
    titles = [commit.title for commit in hub.commits(REPOSITORY)]
    return sum(t.startswith("Add ") and "stranger" not in t for t in titles)


def test_a_second_push_sends_nothing(hub: RunningHub, client: Client, folder: Path) -> None:
    first = client(send, REPOSITORY, str(folder))
    whole(hub, folder)
    assert len(first["sent"]) == FILES + 1
    # Five full batches with the rest, and the card.
    assert commits_of_ours(hub) == -(-FILES // BATCH) + 1
    hub.forget_requests()
    # On another machine, which knows nothing of the first.
    again = call(send, REPOSITORY, str(folder), environment=hub.fresh_environment())
    assert again == {"commit": first["commit"], "sent": []}
    assert hub.bytes_received() == 0
    assert not hub.requests("commit")


def test_plain_lfs_does_as_well(hub: RunningHub, folder: Path) -> None:
    environment = hub.fresh_environment(HF_HUB_DISABLE_XET="1")
    call(send, REPOSITORY, str(folder), environment=environment)
    whole(hub, folder)
    assert hub.requests("lfs_put") and not hub.requests("xet_xorb")


FAULTS: dict[str, list[dict[str, Any]]] = {
    "500 twice, first whoami": [{"route": "whoami", "status": 500, "times": 2}],
    "500 on create": [{"route": "create_repo", "status": 500, "times": 2}],
    "500 on repo info": [{"route": "repo_info", "status": 502, "times": 2, "after": 1}],
    "500 on tree": [{"route": "tree", "status": 500, "times": 2}],
    "500 on preupload": [{"route": "preupload", "status": 503, "times": 1}],
    "500 on a token of storage": [{"route": "xet_write_token", "status": 500, "times": 1}],
    "500 on storage": [{"route": "xet_xorb", "status": 500, "times": 2}],
    "500 on a shard of storage": [{"route": "xet_shard", "status": 500, "times": 2}],
    "500 on commit": [{"route": "commit", "status": 500, "times": 2, "after": 1}],
    "500 on the card's check": [{"route": "validate_yaml", "status": 500, "times": 1}],
    "429 with a limit": [{"route": "commit", "status": 429, "times": 1}],
    "resets": [
        {"route": "tree", "reset": True},
        {"route": "commit", "reset": True, "after": 1},
        {"route": "xet_xorb", "reset": True},
        {"route": "create_repo", "reset": True},
    ],
    "a lost answer": [{"route": "commit", "lose_answer": True, "after": 1}],
    "lost answers, twice": [{"route": "commit", "lose_answer": True, "times": 2}],
    "another writer": [{"route": "commit", "another_writer": True, "after": 2}],
    "another writer, then a lost answer": [
        {"route": "commit", "another_writer": True},
        {"route": "commit", "lose_answer": True, "after": 2},
    ],
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_passes_is_outlasted(case: str, hub: RunningHub, client: Client, folder: Path) -> None:
    for fault in FAULTS[case]:
        hub.fail(**fault)
    client(send, REPOSITORY, str(folder))
    assert not hub.pending_faults(), "a fault that never happened tests nothing"
    whole(hub, folder)
    assert commits_of_ours(hub) == -(-FILES // BATCH) + 1


HUB_ROUTES = ("whoami", "repo_info", "create_repo", "tree", "preupload", "validate_yaml", "commit")
HUB_ROUTES += ("create_collection", "add_collection_item")
XET_ROUTES = ("xet_write_token", "xet_xorb", "xet_shard")
LFS_ROUTES = ("lfs_batch", "lfs_put", "lfs_verify")


@pytest.mark.parametrize("fault", [{"status": 500}, {"reset": True}], ids=["500", "reset"])
@pytest.mark.parametrize("way", ["xet", "lfs"])
def test_every_route_may_fail_once(
    hub: RunningHub, folder: Path, way: str, fault: dict[str, Any]
) -> None:
    routes = HUB_ROUTES + (XET_ROUTES if way == "xet" else LFS_ROUTES)
    for route in routes:
        hub.fail(route, **fault)
    environment = hub.fresh_environment(**({} if way == "xet" else {"HF_HUB_DISABLE_XET": "1"}))
    call(send, REPOSITORY, str(folder), 12, environment=environment)
    assert not hub.pending_faults(), "a fault that never happened tests nothing"
    whole(hub, folder)
    [collection] = hub.collections()
    assert [item["id"] for item in collection["items"]] == [REPOSITORY]


def test_two_kills_lose_one_batch_each(hub: RunningHub, folder: Path) -> None:
    """Counted in bytes that arrived: no batch that was committed is sent again."""
    hub.fail("commit", delay=0.3, times=None)
    for reached in (1, 3):
        process = start(send, REPOSITORY, str(folder), environment=hub.environment)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if commits_of_ours(hub) >= reached:
                    break
            except Exception:  # there is no repository yet
                pass
            time.sleep(0.02)
        process.kill()
        process.wait()
    hub.clear_faults()
    made = commits_of_ours(hub)
    assert 3 <= made < FILES // BATCH + 1
    call(send, REPOSITORY, str(folder), environment=hub.environment)
    whole(hub, folder)
    # Each kill costs at most the batch that was under way.
    assert hub.bytes_received("xet_xorb") <= (FILES + 2 * BATCH) * SIZE * 1.02


def refused(hub: RunningHub, folder: Path, repository: str = REPOSITORY, **how: Any) -> ClientError:
    environment = hub.fresh_environment(**how)
    with pytest.raises(ClientError) as caught:
        call(send, repository, str(folder), environment=environment)
    text = str(caught.value)
    assert not any(t in text for t in (hub.token, hub.expired_token, hub.read_token))
    assert caught.value.kind == "HubError", text
    return caught.value


def test_tokens_that_will_not_do(hub: RunningHub, folder: Path) -> None:
    assert "no token of the Hugging Face Hub" in str(refused(hub, folder, token=""))
    assert "hf auth login" in str(refused(hub, folder, token=hub.expired_token))
    assert "write access" in str(refused(hub, folder, token=hub.read_token))
    stranger = f"{hub.forbidden_namespace}/semasia-digits"
    assert "write access" in str(refused(hub, folder, stranger))
    assert not hub.requests("commit")


def test_a_full_storage_is_one_error(hub: RunningHub, folder: Path) -> None:
    hub.fail("xet_xorb", status=507, times=None)
    assert "no space left" in str(refused(hub, folder))
    assert commits_of_ours(hub) == 0
    hub.clear_faults()
    call(send, REPOSITORY, str(folder), environment=hub.environment)
    whole(hub, folder)


def test_what_is_there_already_stays(hub: RunningHub, client: Client, folder: Path) -> None:
    hub.write(REPOSITORY, "notes/mine.txt", b"mine")
    client(send, REPOSITORY, str(folder))
    assert hub.read(REPOSITORY, "notes/mine.txt") == b"mine"
    whole(hub, folder)


def test_a_card_that_somebody_wrote_is_not_overwritten(hub: RunningHub, folder: Path) -> None:
    hub.write(REPOSITORY, "README.md", b"---\nlicense: mit\n---\nMy own words.")
    assert "was not written by Semasia" in str(refused(hub, folder))
    assert not hub.requests("commit")


def test_a_file_that_changes_is_not_published(hub: RunningHub, tmp_path: Path) -> None:
    path = tmp_path / "m" / "test.parquet"
    path.parent.mkdir()
    path.write_bytes(b"a" * 50_000)

    def changing(repository: str, path: str) -> None:
        from pathlib import Path

        from huggingface_hub import HfApi

        from semasia.config.hub import Hub
        from semasia.hub import LocalFile, Retrying
        from semasia.publishing.repositories import Wanted, publish

        file = LocalFile.of("data/m/test.parquet", Path(path))
        Path(path).write_bytes(b"b" * 50_000)
        hub = Hub(namespace=repository.split("/")[0])
        wanted = Wanted(repository, "Files", (file,), lambda places, before: "")
        publish(HfApi(), hub, wanted, Retrying())

    with pytest.raises(ClientError, match="changed while it was being published"):
        call(changing, REPOSITORY, str(path), environment=hub.environment)
    assert commits_of_ours(hub) == 0
