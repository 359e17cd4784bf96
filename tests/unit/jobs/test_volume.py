"""Every Job says what is the matter with its volume, and that in a report, always."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.cli.jobs import work
from kiro_swarm.cluster.errors import Unavailable
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.failing import JobError, failed
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.workspace.errors import BrokenRepository, GitFailed, GitHindered
from kiro_swarm.workspace.git import says_hindered
from tests.unit.hostile.volume import may_mount
from tests.unit.jobs.work import Job

_INSIDE = "KIRO_TEST_MAY_MOUNT"
_VOLUMES = ("size=4k", "size=16k", "size=32k", "size=64k", "ro", "ro,size=16k")
_FILES = tuple(f"nr_inodes={count}" for count in (2, 5, 8, 12, 20, 25, 30, 34))
_WORDS = {"VolumeFull", "VolumeReadOnly", "VolumeNotWritable"}


def test_prepare_says_what_is_the_matter_with_its_volume(tmp_path: Path) -> None:
    way = may_mount()
    if _INSIDE in os.environ or not way:
        return
    asked = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__)
    narrow = ("-k", "test_of_", "--basetemp", str(tmp_path / "base"))
    place = tmp_path / "temporary"
    place.mkdir()
    done = subprocess.run(
        [*way, *asked, *narrow],
        env={**os.environ, _INSIDE: "1", "TMPDIR": str(place)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("options", [*_VOLUMES, *_FILES])
async def test_of_a_mirror(job: Job, options: str) -> None:
    if _INSIDE not in os.environ:
        return
    job.apply()
    job.env.mirror.mkdir(parents=True, exist_ok=True)
    _mount(options, job.env.mirror)
    if await prepare(job.client, job.env):
        assert job.words()["reason"] in _WORDS, job.words()
    else:
        assert options not in ("ro", "size=4k", "nr_inodes=2")


async def test_of_temporary_files(job: Job) -> None:
    if _INSIDE not in os.environ:
        return
    job.apply()
    place = tempfile.gettempdir()
    _mount("ro", Path(place))
    try:
        assert await prepare(job.client, job.env) == 1
    finally:
        _unmount(place)
    assert job.words()["reason"] == "VolumeReadOnly"
    assert "temporary cannot be written" in job.words()["message"]


def _unmount(place: str) -> None:
    subprocess.run(["umount", place], check=True)


def _mount(options: str, place: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "x", str(place)], check=True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "VolumeFull"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "VolumeFull"),
        (OSError(errno.EROFS, "Read-only file system"), "VolumeReadOnly"),
        (PermissionError(errno.EACCES, "Permission denied"), "VolumeNotWritable"),
        (PermissionError(errno.EACCES, "no", "/credentials/x"), "InternalError"),
        (OSError(errno.EIO, "Input/output error"), "VolumeFailed"),
        (GitHindered("git init: fatal: a: No space left on device"), "VolumeFull"),
        (GitHindered("git x: error: a: Read-only file system\nno"), "VolumeReadOnly"),
        (GitHindered("git fetch was ended by signal 9"), "GitHindered"),
        (GitFailed("git x: a: No space left on device"), "GitFailed"),
        (BrokenRepository("fetching: x"), "BrokenRepository"),
        (Unavailable("no answer"), "ApiUnavailable"),
        (ValueError("https://u:secret@host/x"), "InternalError"),
        (MemoryError(), "InternalError"),
        (RecursionError("deep"), "InternalError"),
        (JobError("two", reason="TaskFileInvalid"), "TaskFileInvalid"),
    ],
)
def test_whatever_ends_a_job_has_a_reason(
    job: Job, error: Exception, reason: str
) -> None:
    assert failed(job.env, error) == 1
    words = job.words()
    assert words["reason"] == reason
    assert words["message"]
    assert "secret" not in str(words)


async def test_a_job_without_a_connection_says_so(
    job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def never(client: Any, env: JobEnvironment) -> int:
        raise AssertionError("there is no connection")

    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert await work(never, job.env) == 1
    assert job.words()["reason"] in ("ApiUnavailable", "InternalError")


@pytest.mark.parametrize(
    "said",
    [
        "/data/repo.git/refs/tags: No space left on device",
        "error: unable to create temporary file: No space left on device",
        "fatal: update_ref failed for ref 'refs/heads/a': cannot lock ref 'refs/heads/a'"
        ": unable to create directory for /data/repo.git/refs/heads/a",
    ],
)
def test_what_git_says_of_a_full_volume_is_known(said: str) -> None:
    assert says_hindered(f"{said}\nfatal: it did not work\n")
