"""A server that hangs costs minutes, is named, and holds up nobody who did not ask it.

No server of ssh is started here: a program of that name stands for one, in front on the PATH.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

from kiro_swarm.workspace.arriving import beside, take_in
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import RemoteUnavailable, WorkspaceError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.locks import sole_owner_of_mirror
from kiro_swarm.workspace.outcomes import Merged
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.silence import Watch
from kiro_swarm.workspace.sync import Source, sync
from kiro_swarm.workspace.trials import owned
from kiro_swarm.workspace.upkeep import Needed, tidy
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
    train,
)

#: Long enough for a busy machine to start the stand-in, which then does nothing.
SILENCE = 1.0
HANGS = "#!/bin/sh\necho $$ >{}/pid\nexec sleep 60\n"
#: As an ssh whose server answers it, and whose git says nothing.
CHATS = f"""#!{sys.executable}
import os, time
with open("{{}}/pid", "w") as named:
    named.write(str(os.getpid()))
with open("/dev/null", "wb", 0) as server:
    for _ in range(1200):
        server.write(b"alive")
        time.sleep(0.05)
"""
WAITS = (
    "#!/bin/sh\necho $$ >{0}/pid\nwhile ! [ -e {0}/go ]; do sleep 0.02; done\nexit 1\n"
)

StandIn = Callable[[str], Remote]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    def put(does: str) -> Remote:
        programs, secret = tmp_path / "bin", tmp_path / "secret"
        programs.mkdir()
        secret.mkdir()
        (programs / "ssh").write_text(does.format(tmp_path))
        (programs / "ssh").chmod(0o755)
        for key in ("ssh-privatekey", "known_hosts"):
            (secret / key).write_text("x")
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        way = Credentials(secret)
        return Remote("ssh://git@git.example/x.git", way, silence=SILENCE)

    return put


def _refusal(swarm: Swarm, remote: Remote) -> WorkspaceError:
    with pytest.raises(RemoteUnavailable) as caught:
        remote.push(Git(swarm.mirror), f"{swarm.head()}:refs/heads/{INTEGRATION}")
    return caught.value


@pytest.mark.parametrize("does", [HANGS, CHATS], ids=["hangs", "chats"])
def test_a_push_to_an_ssh_server_that_hangs_is_ended(
    swarm: Swarm, stand_in: StandIn, tmp_path: Path, does: str
) -> None:
    error = _refusal(swarm, stand_in(does))
    assert error.reason == "RemoteSilent"
    assert "git.example" in error.message
    assert "look at the server" in error.message
    pid = int((tmp_path / "pid").read_text())
    ended = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < ended:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists(), "its children are ended with it"


def test_a_push_to_a_web_server_that_hangs_is_ended(swarm: Swarm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.git"
        error = _refusal(swarm, Remote(url, silence=SILENCE))
    assert (error.reason, url in error.message) == ("RemoteSilent", True)


@pytest.mark.parametrize(
    "does",
    [
        "for i in 1 2 3 4 5 6 7 8 9; do echo $i >&2; sleep 0.2; done",
        "end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do :; done",
    ],
    ids=["bytes", "processor"],
)
def test_what_does_something_is_not_silent_however_slow_it_is(does: str) -> None:
    command = ["sh", "-c", f"{does}; exit 7"]
    with subprocess.Popen(
        command, start_new_session=True, stderr=subprocess.DEVNULL
    ) as slow:
        with Watch(slow.pid, SILENCE) as watch:
            assert slow.wait() == 7
        assert not watch.over


def test_merges_go_on_while_a_sync_waits_for_its_server(
    swarm: Swarm, stand_in: StandIn, tmp_path: Path
) -> None:
    work = swarm.work({"a": "1"})
    remote = stand_in(WAITS)
    source = Source(remote.url, "main", True, remote.credentials)
    failed: list[WorkspaceError] = []

    def synced() -> None:
        try:
            sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), "uid")
        except WorkspaceError as error:
            failed.append(error)

    waiting = threading.Thread(target=synced)
    waiting.start()
    try:
        ends = time.monotonic() + 10
        while not (tmp_path / "pid").exists():
            assert time.monotonic() < ends, f"it never asked the server: {failed}"
            time.sleep(0.01)
        with sole_owner_of_mirror(swarm.mirror, seconds=1.0):
            pass
        assert isinstance(train(swarm).merge(work), Merged)
        assert waiting.is_alive()
    finally:
        (tmp_path / "go").touch()
        waiting.join()
    assert isinstance(failed[0], RemoteUnavailable)
    left = [name for name in os.listdir(swarm.mirror.parent) if "arriving" in name]
    assert left == []


def test_of_two_that_fetch_at_once_neither_removes_what_comes_to_the_other(
    swarm: Swarm,
) -> None:
    later = commit(swarm.upstream, {"later.py": "later"})
    with beside(swarm.mirror) as arrived:
        arrived.run("fetch", swarm.url, "main:refs/kiro/source")
        _tidied(swarm)
        assert swarm.prepare().source == later
        with owned(swarm.mirror) as mirror:
            take_in(mirror, arrived, ["refs/kiro/source"])
    assert git(swarm.mirror, "rev-parse", "refs/kiro/source") == later


def _tidied(swarm: Swarm) -> None:
    tidy(swarm.top, swarm.mirror, INTEGRATION, Needed({}, ()))


@pytest.mark.parametrize("comes", [Swarm.prepare, _tidied], ids=["next", "upkeep"])
def test_what_a_killed_one_left_is_removed(
    swarm: Swarm, comes: Callable[[Swarm], object]
) -> None:
    left = swarm.mirror.with_name(f"{swarm.mirror.name}.arriving.x")
    (left / "repo.git/objects/pack").mkdir(parents=True)
    (left / "repo.git/objects/pack/tmp_pack_x").write_text("half")
    comes(swarm)
    assert not left.exists()
