"""How a git is started: what it inherits, and what it does not."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.workspace.errors import GitFailed, GitMissing, GitSaysHindered
from kiro_swarm.workspace.git import Git
from tests.unit.workspace.repositories import INTEGRATION, Swarm, git

# A program named git that tells how it was started; it goes where it is told to, as git does.
_TELLS = f"""#!{sys.executable} -IS
import json, os, sys
if sys.argv[1] == "-C":
    os.chdir(sys.argv[2])
    del sys.argv[1:3]
print(json.dumps({{
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "leads": os.getsid(0) == os.getpid(),
    "open": sorted(int(name) for name in os.listdir("/proc/self/fd")),
    "stdin": sys.stdin.read(),
}}))
"""


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH whose git tells; the folder it is asked about."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(_TELLS)
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "it.git").mkdir()
    return tmp_path / "it.git"


def _told(asked: Git) -> Any:
    return json.loads(asked.run("status", "a b", stdin=b"words").stdout)


@pytest.mark.parametrize("bounded", [False, True])
def test_it_inherits_what_is_listed_and_nothing_else(
    telling: Path, monkeypatch: pytest.MonkeyPatch, bounded: bool
) -> None:
    passed = {"PATH": os.environ["PATH"], "https_proxy": "http://proxy:1"}
    passed["SSL_CERT_FILE"] = os.devnull
    for name in os.environ:
        monkeypatch.delenv(name)
    strange = ("GIT_DIR", "GIT_TRACE", "TOKEN", "LANGUAGE", "LD_PRELOAD_", "HOME")
    for name, value in [*passed.items(), *((name, "strange") for name in strange)]:
        monkeypatch.setenv(name, value)
    read, write = os.pipe()
    os.set_inheritable(read, True)
    asked = Git(telling, environment={"MORE": "1"}, held=write)
    try:
        told = _told(asked.bounded() if bounded else asked)
    finally:
        os.close(read)
        os.close(write)
    environment = told["environment"]
    assert "strange" not in environment.values()
    ours = {"MORE": "1", "GIT_DIR": str(telling), "HOME": "/dev/null", **passed}
    assert {name: environment.get(name) for name in ours} == ours
    others = {name for name in environment if name not in ours}
    assert all(name.startswith("GIT_") or name in ("LC_ALL", "TZ") for name in others)
    assert told["arguments"] == ["--no-pager", "status", "a b"]
    assert (told["folder"], told["leads"], told["stdin"]) == (
        str(telling),
        True,
        "words",
    )
    # The lock, and the folder that is just being listed.
    assert len(told["open"]) == 5
    assert {0, 1, 2, write} < set(told["open"])


def test_a_folder_that_is_not_there_is_for_git_to_complain_of(telling: Path) -> None:
    assert _told(Git(telling / "none"))["folder"] == os.getcwd()


def test_what_is_missing_or_cannot_be_run_is_told(
    telling: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = telling.parent / "bin/git"
    program.chmod(0o644)
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(GitFailed, match="Permission denied"):
        Git(telling).run("version")
    with pytest.raises(GitMissing, match="no prlimit program on the PATH"):
        Git(telling).bounded().run("version")
    program.unlink()
    with pytest.raises(GitMissing, match="install git"):
        Git(telling).run("version")
    (program.parent / "prlimit").symlink_to("/usr/bin/prlimit")
    with pytest.raises(GitMissing, match="install git"):
        Git(telling).bounded().run("version")


def test_many_names_are_asked_at_once_and_answered_as_one_by_one(swarm: Swarm) -> None:
    here, there = Git(swarm.mirror), git(swarm.upstream, "rev-parse", "HEAD")
    git(swarm.mirror, "tag", "-a", "v1", "-m", "One", there)
    blob = git(swarm.mirror, "rev-parse", "HEAD:app.py")
    (swarm.mirror / "refs/heads/broken").write_text("no id\n")
    (swarm.mirror / "refs/heads/away").write_text("3" * 40 + "\n")
    names = (
        *(there, "refs/tags/v1", f"refs/heads/{INTEGRATION}", "HEAD"),
        *(
            "",
            "3" * 40,
            blob,
            "none",
            "commit x",
            "commit",
            "-x",
            "a\nb",
            "\x85",
            "\udc80",
        ),
        *("refs/heads/broken", "refs/heads/away"),
    )
    assert here.commit_ids(*names) == [here.commit_id(name) for name in names]
    for name in names:
        alone = here.commit_id(name)
        assert here.commit_ids(name) == [alone], name
        assert here.commit_ids(there, name, there) == [there, alone, there], name


def test_a_machine_in_trouble_is_no_missing_commit(telling: Path) -> None:
    (telling.parent / "bin/git").write_text(
        "#!/bin/sh\n"
        'echo "error: unable to open loose object: Input/output error" >&2\n'
        'case "$*" in *batch-check*) cat >/dev/null; echo x missing;; *) exit 128;; esac\n'
    )
    with pytest.raises(GitSaysHindered):
        Git(telling).commit_ids("refs/heads/main")
