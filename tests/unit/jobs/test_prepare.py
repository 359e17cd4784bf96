"""The prepare Job: what it publishes, and every way in which it says why not."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.tasks.file import wire
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import SPEC, git


async def test_the_mirror_is_made_and_the_graph_published_and_again_the_same(
    job: Job,
) -> None:
    job.apply()
    assert await prepare(job.client, job.env) == 0
    first, graph = job.words(), job.graph()
    assert first["base"] == first["head"] == job.repositories.head()
    assert (first["tasksFile"], first["tasks"]) == (SPEC, len(graph["tasks"]))
    assert [task["id"] for task in graph["tasks"]] == ["1.1", "1.2", "2"]
    version = job.api.store.version
    assert await prepare(job.client, job.env) == 0
    assert job.words() == first
    assert job.api.store.version == version, "the same graph is the same bytes"


async def test_without_a_ref_the_default_branch_is_prepared(job: Job) -> None:
    git(job.repositories.upstream, "branch", "--move", "main", "trunk")
    job.apply(repository={"url": job.repositories.url})
    assert await prepare(job.client, job.env) == 0
    assert job.words()["base"] == git(job.repositories.upstream, "rev-parse", "trunk")


async def test_tags_that_are_left_out_are_a_remark(job: Job) -> None:
    head = git(job.repositories.upstream, "rev-parse", "HEAD")
    (job.repositories.upstream / ".git" / "packed-refs").write_text(
        f"{head} refs/tags/{'x' * 255}\n"
    )
    job.apply()
    assert await prepare(job.client, job.env) == 0
    said = job.words()["diagnostics"][0]
    assert said.startswith("tags with a name that cannot be written: xxx")


@pytest.mark.parametrize(
    ("case", "changes", "reason", "words"),
    [
        (
            "a remote that is gone",
            {"repository": {"url": "file:///nowhere/at-all"}},
            "RemoteUnavailable",
            "",
        ),
        ("no such spec", {"tasks": {"specPath": "none"}}, "SpecNotFound", "none"),
        (
            "no such config map",
            {"tasks": {"configMap": {"name": "cm"}}},
            "SpecNotFound",
            "configmap/cm:tasks.md does not exist in namespace team",
        ),
        (
            "a cycle",
            {
                "tasks": {
                    "inline": "- [ ] 1. A\n  _Depends: 2_\n- [ ] 2. B\n  _Depends: 1_\n"
                }
            },
            "TaskFileInvalid",
            "line ",
        ),
        (
            "a file without tasks",
            {"tasks": {"inline": "# Plan\n\nlater\n"}},
            "TaskFileInvalid",
            "spec.tasks.inline",
        ),
        (
            "the text of a group in front of each of its sub-tasks",
            {
                "tasks": {
                    "inline": "- [ ] 1. G\n"
                    + "  some words\n" * 6_000
                    + "".join(f"  - [ ] 1.{n} t\n" for n in range(400))
                }
            },
            "TaskFileTooLarge",
            "characters of group 1 stand in front of each of its 400 sub-tasks",
        ),
        (
            "many problems",
            {
                "tasks": {
                    "inline": "".join(
                        f"- [ ] {n}. x\n  _Depends: 9{n}_\n" for n in range(1, 9)
                    )
                }
            },
            "TaskFileInvalid",
            "(and 5 more)",
        ),
    ],
)
async def test_why_there_is_no_graph(
    job: Job, case: str, changes: dict[str, Any], reason: str, words: str
) -> None:
    job.apply(**changes)
    assert await prepare(job.client, job.env) == 1, case
    said = job.words()
    assert said["reason"] == reason
    assert words in said["message"]
    assert "graph" not in str(job.api.writes), "nothing is published"


async def test_the_text_may_come_from_a_config_map(job: Job) -> None:
    job.env.tasks_folder.mkdir()
    source = job.env.tasks_folder / "plan.md"
    source.write_text("- [ ] 7. From afar\n")
    job.apply(tasks={"configMap": {"name": "cm", "key": "plan.md"}})
    assert await prepare(job.client, job.env) == 0
    assert job.words()["tasksFile"] == "configmap/cm:plan.md"
    assert [task["id"] for task in job.graph()["tasks"]] == ["7"]
    source.write_bytes(b"\xff\xfe")
    assert await prepare(job.client, job.env) == 1
    assert job.words()["reason"] == "SpecNotText"


async def test_a_graph_that_one_config_map_cannot_hold_is_published_in_parts(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PART_CHARACTERS", 240)
    job.apply()
    assert await prepare(job.client, job.env) == 0
    last = job.api.store.read(CONFIG_MAPS, NAMESPACE, "demo-graph")
    names = last["data"]["more"].split()
    assert len(names) >= 1
    rest = [job.api.store.read(CONFIG_MAPS, NAMESPACE, name) for name in names]
    for part in rest:
        (owner,) = part["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("KiroSwarm", "demo")
    packed = [part["binaryData"]["graph.json.gz"] for part in (last, *rest)]
    assert [task["id"] for task in wire.unpack("".join(packed)).tasks] == [
        *("1.1", "1.2", "2")
    ]
    version = job.api.store.version
    assert await prepare(job.client, job.env) == 0
    assert job.api.store.version == version, "the same graph is the same parts"
    monkeypatch.undo()
    assert await prepare(job.client, job.env) == 0
    assert (
        "more" not in job.api.store.read(CONFIG_MAPS, NAMESPACE, "demo-graph")["data"]
    )
    assert [task["id"] for task in job.graph()["tasks"]] == ["1.1", "1.2", "2"]


async def test_a_graph_of_too_many_parts_is_refused(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PART_CHARACTERS", 40)
    job.apply()
    assert await prepare(job.client, job.env) == 1
    assert job.words()["reason"] == "TaskFileTooLarge"
    assert "Split the spec" in job.words()["message"]
    assert "graph" not in str(job.api.writes), "nothing is published"
