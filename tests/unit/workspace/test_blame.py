"""What a candidate makes anything raise is its own; what it cannot have caused is not."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Callable, Optional

import pytest

from kiro_swarm.workspace import errors
from kiro_swarm.workspace.blame import blame
from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.errors import Doubtful, WorkspaceError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.outcomes import Candidate, GateVerdict, Merged, Unproven
from kiro_swarm.workspace.probe import find_trouble
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.hostile import HOSTILE, Hostile
from tests.unit.workspace.repositories import INTEGRATION, SPEC, Swarm, git, merged

#: What was raised, and whose it is where mirror and volume are well.
CAUSES: list[tuple[Exception, str]] = [
    (errors.GitFailed("git merge-tree: fatal: bad object"), "candidate"),
    (errors.InvalidRef("no such ref"), "candidate"),
    (errors.InvalidPath("no such path"), "candidate"),
    (errors.ObjectsRefused("no"), "candidate"),
    (errors.SpecTooLarge("no"), "candidate"),
    (RecursionError("maximum recursion depth exceeded"), "candidate"),
    (ValueError("not a number"), "candidate"),
    (KeyError("commit"), "candidate"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "candidate"),
    (OSError(errno.ENAMETOOLONG, "File name too long"), "candidate"),
    (OSError(errno.EISDIR, "Is a directory"), "candidate"),
    (OSError(errno.EPERM, "Operation not permitted"), "candidate"),
    (OSError(errno.ELOOP, "Too many links"), "candidate"),
    (OSError(errno.E2BIG, "Argument list too long"), "candidate"),
    (errors.GitHindered("git fetch was ended by signal 9"), "not known"),
    (errors.GitTimeout("git did not finish"), "not known"),
    (MemoryError(), "not known"),
    (OSError(errno.ENOSPC, "No space left on device"), "not known"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "not known"),
    (OSError(errno.EIO, "Input/output error"), "not known"),
    (OSError(errno.EROFS, "Read-only file system"), "not known"),
    (OSError(errno.EMFILE, "Too many open files"), "not known"),
    (errors.Doubtful("the gate container was ended"), "not known"),
    (errors.GateUnavailable("no answer"), "swarm"),
    (errors.GitMissing("no git"), "swarm"),
    (errors.IntegrationBusy("moved"), "swarm"),
    (errors.RepositoryBusy("locked"), "swarm"),
    (errors.RemoteUnavailable("away"), "swarm"),
    (errors.PushRejected("no"), "swarm"),
    (errors.CredentialsRefused("no"), "swarm"),
    (errors.RefNotFound("no branch"), "swarm"),
    (errors.BrokenRepository("cannot write"), "swarm"),
    (errors.VolumeTrouble("full", reason="VolumeFull"), "swarm"),
    (errors.VolumeOfAnother("another repository"), "swarm"),
]


@pytest.mark.parametrize(("error", "whose"), CAUSES, ids=lambda value: repr(value)[:40])
def test_whose_fault_it_is(error: Exception, whose: str) -> None:
    found = blame(error, lambda: None)
    if whose == "candidate":
        assert isinstance(found, Unproven)
        assert found.reason == "Unmergeable"
        assert "What to do" in found.brief
    elif whose == "not known":
        assert isinstance(found, Doubtful)
    else:
        assert found is error


@pytest.mark.parametrize(("error", "whose"), CAUSES, ids=lambda value: repr(value)[:40])
def test_where_the_volume_fails_it_is_nobody_s(error: Exception, whose: str) -> None:
    trouble = errors.VolumeTrouble("no room is left", reason="VolumeFull")
    found = blame(error, lambda: trouble)
    assert found is (error if whose == "swarm" else trouble)


def test_every_error_of_this_package_is_in_the_table() -> None:
    named = {type(error) for error, _ in CAUSES}
    covered = {kind for given in named for kind in given.__mro__}
    # Raised by what the train never calls.
    apart = {errors.SyncRefused}
    everything = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, WorkspaceError)
    }
    missing = {
        kind
        for kind in everything - covered - apart
        if not any(issubclass(kind, other) for other in named)
    }
    assert {kind.__name__ for kind in missing} <= {
        *("CredentialsIncomplete", "InvalidUrl", "SpecNotFound")
    }


class Checkout:
    """A gate that does what the gate container does first."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm

    def check(self, commit: str) -> GateVerdict:
        checkout_tree(self._swarm.mirror, commit, self._swarm.top / "gate/tree")
        return GateVerdict(passed=True)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.__name__)
def test_a_hostile_candidate_goes_back_and_the_next_one_is_merged(
    swarm: Swarm, hostile: Hostile
) -> None:
    before = swarm.head()
    bad, reason = hostile(swarm)
    train = MergeTrain(swarm.mirror, INTEGRATION, SPEC, Checkout(swarm))
    outcome = train.merge(bad)
    assert isinstance(outcome, Unproven), outcome
    assert outcome.reason == reason, outcome
    assert 20 < len(outcome.brief.encode()) <= 8192
    assert swarm.head() == before
    good = swarm.work({"good": "1"}, index=2, task="1.2")
    assert isinstance(train.merge(good), Merged)
    assert find_trouble(swarm.mirror, INTEGRATION) is None


class Raising:
    """A gate that raises so many times, after something was done to the swarm."""

    def __init__(
        self, error: Exception, times: int = 99, do: Optional[Callable[[], None]] = None
    ) -> None:
        self._error = error
        self._left = times
        self._do = do
        self.asked = 0

    def check(self, commit: str) -> GateVerdict:
        self.asked += 1
        if self._do is not None:
            self._do()
        if self._left <= 0:
            return GateVerdict(passed=True)
        self._left -= 1
        raise self._error


def _train(swarm: Swarm, gate: Raising) -> MergeTrain:
    return MergeTrain(swarm.mirror, INTEGRATION, SPEC, gate)


def test_what_passes_the_second_time_is_nobody_s_fault(swarm: Swarm) -> None:
    gate = Raising(errors.GitFailed("fatal: bad object"), times=1)
    assert isinstance(_train(swarm, gate).merge(swarm.work({"a": "1"})), Merged)
    assert gate.asked == 2


def test_our_own_defect_at_one_candidate_is_its_verdict(swarm: Swarm) -> None:
    gate = Raising(RecursionError("too deep"))
    outcome = _train(swarm, gate).merge(swarm.work({"a": "1"}))
    assert isinstance(outcome, Unproven)
    assert "RecursionError: too deep" in outcome.brief


@pytest.mark.parametrize(
    "error",
    [
        errors.GateUnavailable("no answer"),
        errors.RemoteUnavailable("away"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_what_is_not_the_candidate_s_is_raised(swarm: Swarm, error: Exception) -> None:
    gate = Raising(error)
    with pytest.raises(WorkspaceError):
        _train(swarm, gate).merge(swarm.work({"a": "1"}))
    assert gate.asked == 1, "an outage is not tried again at once"


def _break_head(swarm: Swarm) -> None:
    tree = git(swarm.mirror, "rev-parse", f"{INTEGRATION}^{{tree}}", check=False)
    if tree:
        (swarm.mirror / "objects" / tree[:2] / tree[2:]).unlink(missing_ok=True)
        for pack in (swarm.mirror / "objects/pack").glob("pack-*"):
            pack.unlink()


def test_a_mirror_that_breaks_meanwhile_is_nobody_s_work(swarm: Swarm) -> None:
    candidate = swarm.work({"a": "1"})
    gate = Raising(errors.GitFailed("fatal: bad tree"), do=lambda: _break_head(swarm))
    with pytest.raises(WorkspaceError) as raised:
        _train(swarm, gate).merge(candidate)
    assert raised.value.reason in ("BrokenRepository", "RefNotFound")


def test_a_volume_without_room_is_named(swarm: Swarm) -> None:
    assert find_trouble(swarm.mirror, INTEGRATION) is None
    trouble = find_trouble(swarm.mirror, INTEGRATION, room=2**62)
    assert trouble is not None
    assert trouble.reason == "VolumeFull"
    assert not list(swarm.mirror.glob("kiro-probe*"))


def test_a_mirror_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    trouble = find_trouble(tmp_path / "none", INTEGRATION)
    assert trouble is not None
    assert trouble.reason == "VolumeFailed"


@pytest.mark.parametrize(
    ("script", "hindered"),
    [
        ("kill -9 $$", True),
        ("echo 'fatal: write error: No space left on device' >&2; exit 128", True),
        ("echo 'error: pack-objects died of signal 9' >&2; exit 128", True),
        ("echo 'fatal: Out of memory, malloc failed' >&2; exit 128", True),
        ("echo 'error: inflate: out of memory' >&2; exit 128", True),
        ("echo 'error: cannot fork() for x: Cannot allocate memory' >&2; exit 1", True),
        ("echo 'remote: fatal: No space left on device' >&2; exit 128", False),
        ("echo 'No space left on device' >&2; exit 0", False),
        ("echo 'fatal: bad object' >&2; exit 128", False),
    ],
)
def test_a_git_that_the_machine_stopped_is_told_apart(
    swarm: Swarm, script: str, hindered: bool
) -> None:
    alias = ("-c", f"alias.try=!{script}")
    if hindered:
        with pytest.raises(errors.GitHindered):
            Git(swarm.mirror).run(*alias, "try", ok=(0, 128))
    else:
        Git(swarm.mirror).run(*alias, "try", ok=(0, 128))


def test_a_candidate_that_was_merged_stays_so_whatever_breaks(swarm: Swarm) -> None:
    candidate: Candidate = swarm.work({"a": "1"})
    first = merged(swarm, candidate)
    assert _train(swarm, Raising(RecursionError("x"))).merge(candidate) == first
