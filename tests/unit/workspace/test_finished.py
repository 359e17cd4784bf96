"""Finished work stays whatever the next task of its instance does."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from kiro_swarm.workspace.disk import folders
from kiro_swarm.workspace.errors import InvalidName, ObjectsRefused
from kiro_swarm.workspace.finished import keep, place_of
from tests.unit.workspace.repositories import INTEGRATION, Swarm, git, merged


def test_the_agent_of_the_next_task_can_destroy_nothing_that_is_done(
    swarm: Swarm,
) -> None:
    first = swarm.work({"a": "1"})
    swarm.keep(first)
    second = swarm.work({"b": "2"}, task="1.2")
    swarm.keep(second)
    shutil.rmtree(swarm.instance().folder)
    merged(swarm, swarm.kept(first))
    merged(swarm, swarm.kept(second))
    assert (swarm.show("a"), swarm.show("b")) == ("1", "2")


def test_work_is_kept_once_and_a_new_commit_of_the_attempt_takes_its_place(
    swarm: Swarm,
) -> None:
    first = swarm.work({"a": "1"})
    swarm.keep(first)
    place = swarm.kept(first).instance_dir
    before = place.stat().st_mtime_ns
    swarm.keep(first)
    assert place.stat().st_mtime_ns == before
    again = swarm.work({"a": "2"})
    swarm.keep(again)
    merged(swarm, swarm.kept(again))
    assert swarm.show("a") == "2"


def test_what_is_kept_was_proved(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    objects = done.instance_dir / "repo.git/objects"
    blob = git(swarm.instance().tree, "rev-parse", "HEAD:a")
    target = objects / blob[:2] / blob[2:]
    target.chmod(0o644)
    target.write_bytes(b"rubbish")
    with pytest.raises(ObjectsRefused, match=r"refused the objects|missing"):
        swarm.keep(done)
    assert place_of(swarm.top, "demo-1", done.uid, 1) == done.instance_dir


def test_what_is_refused_leaves_nothing_on_the_shelf(swarm: Swarm) -> None:
    made = swarm.work({"a": "1"})
    other = dataclasses.replace(made, uid="uid-of-another")
    with pytest.raises(ObjectsRefused):
        keep(
            *(swarm.top / "finished" / "demo-1", other.uid, 1, made.instance_dir),
            *(swarm.mirror, INTEGRATION, made.commit, made.base),
        )
    assert folders(swarm.top / "finished" / "demo-1") == []


def test_work_of_a_runner_of_an_earlier_release_is_where_it_was(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    assert swarm.kept(done) == done
    merged(swarm, done)


@pytest.mark.parametrize(
    ("instance", "uid", "attempt"),
    [
        ("../x", "uid", 1),
        ("a/b", "uid", 1),
        ("", "uid", 1),
        (".", "uid", 1),
        ("demo-1", "../uid", 1),
        ("demo-1", "", 1),
        ("demo-1", "uid", 0),
        ("demo-1", "uid", -1),
        ("demo-1", "uid", 10**7),
    ],
)
def test_a_name_that_somebody_made_up_leads_nowhere(
    tmp_path: Path, instance: str, uid: str, attempt: int
) -> None:
    with pytest.raises(InvalidName):
        place_of(tmp_path, instance, uid, attempt)


def test_a_shelf_is_not_made_for_a_name_that_somebody_made_up(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    with pytest.raises(InvalidName):
        keep(
            *(swarm.shelf(), "../x", 1, done.instance_dir, swarm.mirror),
            *(INTEGRATION, done.commit),
        )
    assert not swarm.shelf().exists()
