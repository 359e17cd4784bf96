"""The spec of forty tasks says what its table says, and its end is known to the byte."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kiro_swarm.agents import scripted
from kiro_swarm.tasks.file.edit import tick
from kiro_swarm.tasks.file.parser import parse
from tests.support import forty
from tests.support.forty import FORTY, SOME, Spec

both = pytest.mark.parametrize("spec", [FORTY, SOME], ids=["forty", "some"])


def test_some_of_forty_come_with_all_that_they_need() -> None:
    assert (len(FORTY.leaves), len(SOME.leaves)) == (40, 26)
    names = set(SOME.dependencies)
    assert all(names.issuperset(needs) for needs in SOME.dependencies.values())
    assert forty.SLOW in names
    assert SOME.dependencies[forty.SLOW], "it is in the middle of the graph"


@both
def test_the_task_file_is_read_as_the_table_says(spec: Spec) -> None:
    parsed = parse(spec.tasks_md())
    assert parsed.diagnostics == ()
    assert len(parsed.leaves) == len(spec.leaves)
    assert {leaf.id: leaf.waits_for for leaf in parsed.leaves} == spec.dependencies
    assert [leaf.id for leaf in parsed.leaves if leaf.optional] == [forty.OPTIONAL]
    urgent = {leaf.id for leaf in parsed.leaves if leaf.priority > 0}
    assert urgent == forty.URGENT
    assert min(leaf.priority for leaf in parsed.leaves) < 0
    assert {leaf.id for leaf in parsed.leaves if leaf.files} == set(forty.SHARED)


@both
def test_estimates_are_wrong_and_not_all_there(spec: Spec) -> None:
    seconds = {leaf.id: leaf.seconds for leaf in spec.leaves}
    guessed = {t.id: t.estimate_seconds for t in parse(spec.tasks_md()).leaves}
    factors = {guess / seconds[name] for name, guess in guessed.items() if guess}
    assert max(factors) / min(factors) > 10
    assert None in guessed.values()


@both
@pytest.mark.parametrize("pair", forty.OVERLAPS, ids="-".join)
def test_the_overlapping_tasks_could_all_begin_at_once(
    spec: Spec, pair: tuple[str, str]
) -> None:
    for task in pair:
        assert spec.dependencies[task] == ()
        assert task in forty.URGENT


@both
def test_what_the_agent_does_is_what_the_outcome_expects(
    spec: Spec, tmp_path: Path
) -> None:
    """All tasks done one after another in one folder, and ticked, byte for byte."""
    for path, text in spec.repository().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    order = sorted(spec.dependencies, reverse=True)
    slept: list[float] = []
    plan = tmp_path / forty.SPEC
    for task in order:
        env = {"KIRO_TASK_ID": task}
        assert scripted.run(tmp_path, env, "", lambda _: None, slept.append) == 0
        plan.write_bytes(tick(plan.read_bytes(), task))
    there = {
        str(path.relative_to(tmp_path)): path.read_text()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert there == spec.outcome(order)
    assert there != spec.outcome(order[::-1])
    assert sum(slept) == sum(leaf.seconds for leaf in spec.leaves)


def test_git_gives_a_file_the_same_id(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("ä\n")
    said = subprocess.run(
        ["git", "hash-object", "--no-filters", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert forty.blobs({"file": "ä\n"}) == {"file": said.stdout.strip()}
