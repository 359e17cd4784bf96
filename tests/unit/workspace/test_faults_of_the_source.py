"""What the repository had before the swarm began is no candidate's fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.workspace.outcomes import Candidate
from tests.unit.workspace.repositories import Swarm, commit, merged, unproven

#: URLs and paths of submodules that git's checks refuse in new objects.
BAD = {
    "url": '[submodule "x"]\n\tpath = x\n\turl = --upload-pack=x\n',
    "name": '[submodule "../x"]\n\tpath = x\n\turl = https://example.org/x\n',
    "path": '[submodule "x"]\n\tpath = -x\n\turl = https://example.org/x\n',
    "update": '[submodule "x"]\n\tpath = x\n\turl = a\n\tupdate = !x\n',
}


def brought(swarm: Swarm, files: dict[str, str], task: str = "1.1") -> Candidate:
    """A candidate of an agent whose container looked at nothing before it said Done."""
    made = swarm.cut(task=task)
    subject = f"Work\n\nSwarm-Task: uid-{task.replace('.', '-')}/1"
    return swarm.candidate(made, commit(Path(made.tree), files, subject), task=task)


@pytest.mark.parametrize("name", BAD)
def test_a_submodule_that_was_there_stops_no_task(swarm: Swarm, name: str) -> None:
    commit(swarm.upstream, {".gitmodules": BAD[name]})
    swarm.prepare()
    merged(swarm, swarm.work({"new.txt": "x"}))
    merged(swarm, swarm.work({"folder/other.txt": "y"}, task="1.2"))


@pytest.mark.parametrize("name", BAD)
def test_a_submodule_that_was_there_keeps_no_work_off_the_shelf(
    swarm: Swarm, name: str
) -> None:
    commit(swarm.upstream, {".gitmodules": BAD[name]})
    swarm.prepare()
    work = swarm.work({"new.txt": "x"})
    swarm.keep(work)
    assert swarm.kept(work).instance_dir != work.instance_dir
    merged(swarm, swarm.kept(work))


@pytest.mark.parametrize("name", BAD)
def test_one_that_a_candidate_brings_is_refused(swarm: Swarm, name: str) -> None:
    swarm.prepare()
    work = brought(swarm, {".gitmodules": BAD[name], "new.txt": "x"})
    assert unproven(swarm, work).startswith("BadObjects")


def test_a_fault_that_was_there_does_not_let_another_one_in(swarm: Swarm) -> None:
    commit(swarm.upstream, {".gitmodules": BAD["url"]})
    swarm.prepare()
    work = brought(swarm, {".gitmodules": BAD["name"], "new.txt": "x"})
    assert unproven(swarm, work).startswith("BadObjects")


@pytest.mark.parametrize("name", BAD)
def test_what_was_merged_under_a_harmless_name_comes_in_under_no_other(
    swarm: Swarm, name: str
) -> None:
    swarm.prepare()
    merged(swarm, swarm.work({"docs/sample.txt": BAD[name]}))
    work = brought(swarm, {".gitmodules": BAD[name]}, task="1.2")
    assert unproven(swarm, work).startswith("BadObjects")
