"""What a gate gets to see, and the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kiro_swarm.cli.workspace import workspace
from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.errors import GitMissing, GitTimeout, RefNotFound
from kiro_swarm.workspace.git import Git
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Swarm,
    branch,
    commit,
    git,
    write,
)


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in folder.rglob("*")
    }


def test_a_checkout_is_the_commit_and_only_reads_the_mirror(swarm: Swarm) -> None:
    into = swarm.top / "gate"
    write(into, {"left/over": "x", "app.py": "stale"})
    before = _state(swarm.mirror)
    made = checkout_tree(swarm.mirror, swarm.head(), into)
    assert made.to_json() == {"commit": swarm.head(), "tree": str(into)}
    assert sorted(os.listdir(into)) == [".git", ".gitignore", ".kiro", "app.py"]
    assert (into / "app.py").read_text() == "one\ntwo\nthree\n"
    assert _state(swarm.mirror) == before


def test_a_gate_can_ask_git(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    commit(swarm.upstream, {"a.txt": "x\n"})
    git(swarm.upstream, "tag", "-a", "-m", "Release", "v1.2.3")
    into = tmp_path / "gate"
    for _ in range(2):
        checkout_tree(swarm.mirror, swarm.prepare().source, into)
        assert git(into, "describe") == "v1.2.3"
        assert git(into, "diff", "--stat", "--exit-code") == ""
        assert git(into, "status", "--porcelain") == ""
        assert git(into, "log", "--format=%s", "-1") == "Work"
        write(into, {"app.py": "generated\n", "a.bin": "y"})
        assert git(into, "diff", "--name-only") == "app.py"
        commit(into, {}, "By a gate")
        git(into, "tag", "by-a-gate")
    assert "By a gate" not in git(swarm.mirror, "log", "--all", "--format=%s")
    assert "by-a-gate" not in git(swarm.mirror, "tag")


def test_filters_of_the_attributes_are_inert(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n*.txt text eol=crlf\n"
    commit(swarm.upstream, {".gitattributes": attributes, "a.bin": "x", "b.txt": "y\n"})
    checkout_tree(swarm.mirror, swarm.prepare().source, tmp_path / "gate")
    assert (tmp_path / "gate/a.bin").read_text() == "x"
    assert (tmp_path / "gate/b.txt").read_bytes() == b"y\r\n"


def test_an_unknown_commit_is_not_found(swarm: Swarm) -> None:
    with pytest.raises(RefNotFound):
        checkout_tree(swarm.mirror, "3" * 40, swarm.top / "gate")


def test_a_command_that_hangs_is_killed(swarm: Swarm) -> None:
    os.mkfifo(swarm.top / "pipe")
    with pytest.raises(GitTimeout, match=r"hash-object did not finish within 0\.2"):
        Git(swarm.mirror).run("hash-object", str(swarm.top / "pipe"), seconds=0.2)


def test_a_machine_without_git_is_told(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    (swarm.top / "bin").mkdir()
    monkeypatch.setenv("PATH", str(swarm.top / "bin"))
    with pytest.raises(GitMissing, match="install git"):
        Git(swarm.mirror).run("version")


def _call(*arguments: str, status: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(workspace, arguments)
    assert result.exit_code == status, result.output
    assert result.output.count("\n") == 1
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def test_a_task_by_the_command_line(swarm: Swarm) -> None:
    folder, mirror = str(swarm.instance().folder), str(swarm.mirror)
    made = _call(
        *("cut", "--instance-dir", folder, "--mirror", mirror),
        *("--branch", branch(), "--integration", INTEGRATION),
    )
    write(Path(made["tree"]), {"a": "1"})
    done = _call(
        *("evidence", "--instance-dir", folder, "--base", made["base"]),
        *("--branch", branch(), "--trailer", "uid-1/1", "--title", "A task"),
    )
    assert (done["reason"], done["files"]) == ("Done", ["a"])
    into = str(swarm.top / "gate")
    seen = _call(
        *("checkout", "--mirror", mirror, "--commit", swarm.head(), "--into", into)
    )
    assert seen["tree"] == into


def test_an_error_is_json_too(swarm: Swarm) -> None:
    into = str(swarm.top / "gate")
    failed = _call(
        *("checkout", "--mirror", str(swarm.mirror)),
        *("--commit", "HEAD", "--into", into),
        status=1,
    )
    assert failed["error"]["reason"] == "InvalidRef"
    (swarm.top / "file").write_text("x")
    failed = _call(
        *("checkout", "--mirror", str(swarm.mirror), "--commit", swarm.head()),
        *("--into", str(swarm.top / "file" / "x")),
        status=1,
    )
    assert failed["error"]["reason"] == "FileSystem"
