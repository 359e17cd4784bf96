"""The mirror: made once, refreshed often, killed anywhere, refused clearly."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import (
    BrokenRepository,
    CredentialsIncomplete,
    InvalidRef,
    InvalidUrl,
    RefNotFound,
    RemoteError,
    RemoteUnavailable,
    RepositoryBusy,
    VolumeTrouble,
    volume_trouble,
)
from kiro_swarm.workspace.locks import LOCK_NAME, sole_owner, sole_owner_of_mirror
from kiro_swarm.workspace.mirror import integration_head, prepare_mirror
from tests.unit.workspace.repositories import INTEGRATION, Swarm, commit, git


def test_the_integration_branch_begins_at_the_wanted_ref(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    swarm.mirror.mkdir()
    os.chown(swarm.mirror, 12345, 12345) if os.geteuid() == 0 else None
    head = swarm.prepare()
    assert head.source == head.integration == head.start
    assert head.source == git(swarm.upstream, "rev-parse", "main")
    assert not head.continued
    assert swarm.fsck(swarm.mirror) == ""
    assert git(swarm.mirror, "config", "gc.auto") == "0"
    assert git(swarm.mirror, "config", "core.fsync") == "all"
    assert git(swarm.mirror, "config", "core.fsyncMethod") == "fsync"


def test_a_repeat_changes_nothing(swarm: Swarm) -> None:
    before = git(swarm.mirror, "for-each-ref")
    head = swarm.prepare()
    assert head.continued
    assert git(swarm.mirror, "for-each-ref") == before


def test_only_the_wanted_ref_is_fetched(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    git(swarm.upstream, "checkout", "--quiet", "-b", "other")
    other = commit(swarm.upstream, {"other": "x"})
    git(swarm.upstream, "tag", "v9", other)
    git(swarm.upstream, "checkout", "--quiet", "main")
    swarm.prepare()
    assert git(swarm.mirror, "cat-file", "-t", other, check=False) == ""
    assert "v9" not in git(swarm.mirror, "for-each-ref")


def test_a_tag_and_a_commit_id_are_refs_too(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    first = git(swarm.upstream, "rev-parse", "HEAD")
    git(swarm.upstream, "tag", "-a", "-m", "one", "v1.0")
    commit(swarm.upstream, {"b": "2"})
    assert swarm.prepare("v1.0").source == first
    other = prepare_mirror(tmp_path / "b.git", swarm.url, first, INTEGRATION)
    assert other.integration == first


def test_until_the_first_merge_the_integration_branch_follows_its_source(
    swarm: Swarm,
) -> None:
    newer = commit(swarm.upstream, {"c": "3"})
    again = swarm.prepare()
    assert again.source == again.integration == again.start == newer == swarm.head()
    git(swarm.upstream, "commit", "--quiet", "--amend", "-m", "Another history")
    assert swarm.prepare().integration == git(swarm.upstream, "rev-parse", "HEAD")


def test_the_source_may_move_while_the_integration_branch_stays(swarm: Swarm) -> None:
    start = swarm.head()
    tree = git(swarm.mirror, "rev-parse", f"{start}^{{tree}}")
    merged = git(swarm.mirror, "commit-tree", tree, "-p", start, "-m", "Merge task 1")
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", merged)
    newer = commit(swarm.upstream, {"c": "3"})
    again = swarm.prepare()
    assert (again.source, again.integration, again.start) == (newer, merged, start)


def test_an_integration_branch_of_the_remote_is_continued(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    main = git(swarm.upstream, "rev-parse", "main")
    git(swarm.upstream, "checkout", "--quiet", "-b", INTEGRATION)
    ahead = commit(swarm.upstream, {"d": "4"})
    git(swarm.upstream, "checkout", "--quiet", "main")
    head = swarm.prepare()
    assert head.continued
    assert head.integration == ahead
    assert head.start == main


@pytest.mark.parametrize("lock", ["config.lock", "HEAD.lock", "packed-refs.lock"])
def test_locks_of_a_killed_run_do_not_stop_the_next(swarm: Swarm, lock: str) -> None:
    (swarm.mirror / lock).touch()
    (swarm.mirror / "refs/heads" / f"{INTEGRATION}.lock").touch()
    (swarm.mirror / "objects/pack/tmp_pack_x").touch()
    newer = commit(swarm.upstream, {"c": "3"})
    assert swarm.prepare().source == newer
    assert not list(swarm.mirror.rglob("*.lock"))
    assert not list(swarm.mirror.glob("objects/pack/tmp_*"))


def test_a_living_owner_is_waited_for_and_then_named(tmp_path: Path) -> None:
    def second() -> None:
        with sole_owner(tmp_path, seconds=0.1):
            raise AssertionError("two owners")

    with sole_owner(tmp_path), pytest.raises(RepositoryBusy, match=LOCK_NAME):
        second()


def test_nothing_that_agents_can_open_is_a_lock_of_the_mirror(swarm: Swarm) -> None:
    """They have it in a mount that is read only; a flock needs no right to write."""
    swarm.prepare()
    newer = commit(swarm.upstream, {"c": "3"})
    with ExitStack() as held:
        for path in [swarm.mirror, *swarm.mirror.rglob("*")]:
            descriptor = os.open(path, os.O_RDONLY)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with sole_owner_of_mirror(swarm.mirror, seconds=0.1):
            pass
        assert swarm.prepare().source == newer


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_lock_that_is_no_plain_file_is_replaced(tmp_path: Path, kind: str) -> None:
    lock = tmp_path / LOCK_NAME
    lock.symlink_to("/etc/passwd") if kind == "link" else lock.mkdir()
    with sole_owner(tmp_path):
        assert lock.is_file()
        assert not lock.is_symlink()


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(BrokenRepository, match="cannot write into /proc"):
        sole_owner(Path("/proc/self")).__enter__()


@pytest.mark.parametrize("ours", [False, True])
def test_a_folder_that_is_ours_is_opened_and_one_of_somebody_else_is_named(
    tmp_path: Path, ours: bool
) -> None:
    me, nobody = os.geteuid(), os.geteuid() or 65532
    place = tmp_path / "place"
    place.mkdir()
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o011:
            folder.chmod(0o755)
    os.chown(place, nobody if ours else me, -1)
    place.chmod(0o500 if ours else 0o555)
    os.seteuid(nobody)
    try:
        if ours:
            sole_owner(place).__enter__()
            return
        with pytest.raises(VolumeTrouble, match=f"by uid {nobody}") as caught:
            sole_owner(place).__enter__()
        assert caught.value.reason == "VolumeNotWritable"
        for number in (errno.EACCES, errno.EPERM):
            trouble = volume_trouble(OSError(number, "no"), place)
            assert trouble.reason == "VolumeNotWritable"
        read_only = volume_trouble(OSError(errno.EROFS, "no"), place)
        assert read_only.reason == "VolumeReadOnly"
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("made", [False, True])
def test_a_volume_of_somebody_else_is_named(swarm: Swarm, made: bool) -> None:
    if made:
        swarm.mirror.mkdir(exist_ok=True)
        swarm.mirror.chmod(0o500)
    else:
        swarm.mirror.parent.chmod(0o500)
    me, nobody = os.geteuid(), os.geteuid() or 65532
    os.seteuid(nobody)
    try:
        with pytest.raises(VolumeTrouble, match=f"by uid {nobody} and gid") as caught:
            swarm.prepare()
    finally:
        os.seteuid(me)
        swarm.mirror.parent.chmod(0o700)
    assert caught.value.reason == "VolumeNotWritable"


def test_a_ref_that_cannot_be_written_is_a_broken_mirror(swarm: Swarm) -> None:
    shutil.rmtree(swarm.mirror / "refs/kiro")
    (swarm.mirror / "refs/kiro").write_text("x")
    with pytest.raises(BrokenRepository, match="bad object refs/kiro"):
        swarm.prepare()


def test_a_remote_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiro_swarm.workspace.remote._LIST_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(RemoteUnavailable, match=r"within 0\.3 seconds"):
            prepare_mirror(tmp_path / "m", url, "main", INTEGRATION)


def test_an_empty_ref_file_is_named(swarm: Swarm) -> None:
    ref = swarm.mirror / "refs/heads" / INTEGRATION
    ref.write_text("")
    with pytest.raises(BrokenRepository, match=r"refs/heads/swarm/demo.*0 bytes"):
        swarm.prepare()


def test_a_missing_ref_names_those_there_are(swarm: Swarm) -> None:
    with pytest.raises(RefNotFound, match=r"'master'.*its branches: main"):
        swarm.prepare("master")


def test_an_empty_repository_asks_for_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty")
    for ref in ("main", None):
        with pytest.raises(RefNotFound, match="push a first commit"):
            prepare_mirror(tmp_path / "m", f"file://{tmp_path}/empty", ref, INTEGRATION)


def test_without_a_ref_the_default_branch_is_taken(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    git(swarm.upstream, "branch", "--move", "main", "trunk")
    git(swarm.upstream, "branch", "main", "trunk")
    newer = commit(swarm.upstream, {"b": "2"})
    made = prepare_mirror(swarm.mirror, swarm.url, None, INTEGRATION)
    assert made.source == made.integration == newer


def test_without_a_ref_a_detached_head_is_taken(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    git(swarm.upstream, "checkout", "--quiet", "--detach")
    newer = commit(swarm.upstream, {"b": "2"})
    made = prepare_mirror(swarm.mirror, swarm.url, None, INTEGRATION)
    assert made.source == newer


def test_a_default_branch_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    git(swarm.upstream, "symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(RefNotFound, match=r"no default branch.*its branches: main"):
        prepare_mirror(swarm.mirror, swarm.url, None, INTEGRATION)


def test_a_shallow_source_is_called_shallow(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    commit(swarm.upstream, {"b": "2"})
    url = f"file://{tmp_path}/copied"
    git(tmp_path, "clone", "--quiet", "--depth=1", swarm.url, "copied")
    with pytest.raises(RemoteError, match="git fetch --unshallow") as caught:
        prepare_mirror(swarm.mirror, url, "main", INTEGRATION)
    assert caught.value.reason == "ShallowRepository"
    git(tmp_path / "copied", "fetch", "--quiet", "--unshallow")
    assert prepare_mirror(swarm.mirror, url, "main", INTEGRATION).source


def test_a_repository_of_longer_ids_is_refused_by_name(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--template=", "--object-format=sha256", "long")
    commit(tmp_path / "long", {"a": "1"})
    for ref in ("master", None, "a" * 64):
        with pytest.raises(RemoteError, match="SHA-256 repositories are not supported"):
            prepare_mirror(tmp_path / "m", f"file://{tmp_path}/long", ref, INTEGRATION)


def test_a_ref_that_is_no_commit_is_refused(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    blob = git(swarm.upstream, "rev-parse", "HEAD:app.py")
    git(swarm.upstream, "tag", "blob", blob)
    with pytest.raises(RefNotFound, match="does not lead to a commit"):
        swarm.prepare("blob")


def test_without_a_prepare_job_there_is_no_branch(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    git(tmp_path, "init", "--quiet", "--bare", "repo.git")
    with pytest.raises(RefNotFound, match="prepare job"):
        integration_head(swarm.mirror, INTEGRATION)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ext::sh -c id", "not allowed"),
        ("ext::sh", "scheme 'ext' is not allowed"),
        ("git://host/x", "scheme 'git' is not allowed"),
        ("git@host:path", "git@host:path with ssh://"),
        ("/srv/repo", "not allowed"),
        ("--upload-pack=touch", "not allowed"),
        ("https://user:secret@host/x", "holds credentials"),
        ("https://token@host/x", "holds credentials"),
        ("https:///x", "lacks a host"),
        ("ssh://-oProxyCommand=id/x", "may not begin with '-'"),
        ("https://host:99999/x", "cannot be read"),
        ("file://host/x", "lacks a host or a path"),
        ("https://host/a\nb", "not allowed"),
        ("https://host/" + "a" * 3000, "not allowed"),
    ],
)
def test_a_hostile_address_is_refused_before_git(
    tmp_path: Path, url: str, message: str
) -> None:
    with pytest.raises(InvalidUrl, match=message) as caught:
        prepare_mirror(tmp_path / "m", url, "main", INTEGRATION)
    assert "secret" not in caught.value.message
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a b", "refs/heads/main"])
def test_a_hostile_ref_is_refused_before_git(swarm: Swarm, ref: str) -> None:
    with pytest.raises(InvalidRef):
        swarm.prepare(ref)


def test_a_dead_remote_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        urls = (
            f"http://127.0.0.1:{port}/x.git",
            f"file://{tmp_path}/missing.git",
            "https://no-such-host.invalid/x.git",
        )
        for number, url in enumerate(urls):
            began = time.monotonic()
            with pytest.raises(RemoteUnavailable, match=r"spec\.repository|again"):
                prepare_mirror(tmp_path / str(number), url, "main", INTEGRATION)
            assert time.monotonic() - began < 60, "it waits for somebody"


def test_an_ssh_address_names_the_missing_keys(tmp_path: Path) -> None:
    url = "ssh://git@127.0.0.1:1/x.git"
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "ssh-privatekey").write_text("KEY")

    def attempt(credentials: Credentials | None) -> None:
        prepare_mirror(tmp_path / "m", url, "main", INTEGRATION, credentials)

    with pytest.raises(CredentialsIncomplete, match="credentialsSecret"):
        attempt(None)
    with pytest.raises(CredentialsIncomplete, match=r'"known_hosts".*ssh-privatekey'):
        attempt(Credentials(secret))
    (secret / "known_hosts").write_text("127.0.0.1 ssh-ed25519 AAAA")
    (secret / "ssh-privatekey").write_text("")
    with pytest.raises(CredentialsIncomplete, match='"ssh-privatekey"'):
        attempt(Credentials(secret))
