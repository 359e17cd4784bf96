"""Names: deterministic, harmless, and never the same for two tasks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.policy import naming
from kiro_swarm.workspace.refs import check_branch

OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
HOSTILE = [
    "integration",
    "a..b",
    "a.lock",
    "a/../../b",
    "-rf",
    ".",
    "..",
    "$(id)",
    "a b",
    "ü",
    "A" * 128,
    "a" * 128,
    "core-1-0123abcd",
    "",
    "\x00",
    "@{-1}",
    "refs/heads/main",
]


@pytest.mark.parametrize("task_id", ["1", "1.1", "core--1", "2.10.3-a", "a" * 48])
def test_a_harmless_id_is_its_own_name(task_id: str) -> None:
    assert naming.task_part(task_id) == task_id


@pytest.mark.parametrize("task_id", HOSTILE)
def test_a_hostile_id_makes_a_name_and_a_branch_that_every_side_accepts(
    task_id: str,
) -> None:
    name = naming.task_name("demo", task_id)
    branch = naming.task_branch("demo", task_id, 1)
    assert OBJECT_NAME.match(name)
    assert len(name) <= 253
    assert check_branch(branch) == branch
    assert naming.task_part(task_id) != task_id


def test_tasks_of_two_swarms_never_share_a_name() -> None:
    assert naming.task_name("demo", "2-1") != naming.task_name("demo-2", "1")
    assert naming.task_name("demo", "1.1") == "demo.1.1"


def test_ids_that_differ_in_case_stay_two_tasks() -> None:
    ids = ["CORE-1", "core-1", "Core-1", "core.1", "core_1", "CORE_1"]
    assert len({naming.task_part(task_id) for task_id in ids}) == len(ids)


def test_nobody_can_choose_the_name_that_another_id_gets() -> None:
    hashed = naming.task_part("CORE-1")
    assert hashed.startswith("core-1-")
    assert naming.task_part(hashed) != hashed


@given(st.lists(st.text(alphabet="aA1.-_", max_size=6), unique=True, max_size=40))
def test_different_ids_never_share_a_name(ids: list[str]) -> None:
    assert len({naming.task_part(task_id) for task_id in ids}) == len(ids)


@given(st.text(max_size=200))
def test_any_text_makes_a_valid_name_and_the_same_one_every_time(text: str) -> None:
    part = naming.task_part(text)
    assert OBJECT_NAME.match(part)
    assert part == naming.task_part(text)
    assert check_branch(naming.task_branch("demo", text, 7))


def test_the_branch_of_a_task_never_is_the_integration_branch_or_below_it() -> None:
    integration = naming.integration_branch("demo")
    for task_id in [*HOSTILE, "Integration", "INTEGRATION"]:
        assert not naming.task_branch("demo", task_id, 1).startswith(f"{integration}/")


def test_what_belongs_to_a_swarm_is_named_after_it() -> None:
    assert naming.instance_name("demo", 2) == "demo-2"
    assert naming.pod_name("demo-2", 0) == "demo-2-0"
    assert naming.claim_name("demo") == "demo-workspace"
    assert naming.runner_account("demo") == "demo-runner"
    assert naming.jobs_account("demo") == "demo-jobs"
    assert naming.graph_name("demo") == "demo-graph"
    part = naming.graph_part("demo", UID, "H4sI", 2)
    assert re.fullmatch("demo-graph-[0-9a-f]{16}-2", part)
    assert naming.prepare_job("demo", 3) == "demo-prepare-3"
    assert naming.integrate_job("demo", 3) == "demo-integrate-3"
    assert naming.inspect_job("demo", UID) == "demo-inspect-0b5e7f1a"
    assert naming.sync_job("demo", UID) == "demo-sync-0b5e7f1a"


def test_parts_of_two_graphs_or_of_two_swarms_never_have_one_name() -> None:
    mine = naming.graph_part("demo", UID, "H4sI", 2)
    assert mine != naming.graph_part("demo", UID, "H4sJ", 2)
    assert mine != naming.graph_part("demo", UID[::-1], "H4sI", 2)
    assert naming.is_graph_part("demo", mine)


@pytest.mark.parametrize(
    "name",
    [
        "demo-graph",
        "other-graph-0123456789abcdef-2",
        "demo-graph-0123456789abcdef-2/../../secrets/x",
        "../demo-graph-0123456789abcdef-2",
        "demo-graph-0123456789abcdef-",
        "demo-graph-../secrets/x-2",
        "demo-graph-0123456789abcdef-2\n",
    ],
)
def test_what_is_no_part_of_the_graph_is_not_taken_for_one(name: str) -> None:
    assert not naming.is_graph_part("demo", name)


@pytest.mark.parametrize("length", [1, 246, 247, 253])
def test_the_result_of_a_command_has_a_name_however_long_its_own_is(
    length: int,
) -> None:
    name = naming.result_name("a" * length)
    assert OBJECT_NAME.match(name)
    assert len(name) <= 253
    other = naming.result_name("a" * (length - 1) + "b")
    assert name != other
