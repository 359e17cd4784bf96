"""What the gates said of the branch is believed for an hour, of the same gates and tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.workspace.gate_memory import BELIEVED, NAME, GateMemory
from kiro_swarm.workspace.outcomes import GateRun, GateVerdict

TREE = "a" * 40
RED = GateVerdict(False, "tests", "1 failed", (GateRun("lint", 0.0),))


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def test_the_next_job_knows_it_for_an_hour(tmp_path: Path) -> None:
    clock = Clock()
    GateMemory(tmp_path, "these", clock).note(TREE, RED)
    later = GateMemory(tmp_path, "these", clock)
    clock.at += BELIEVED - 1
    assert later.of(TREE) == RED
    clock.at += 2
    assert later.of(TREE) is None


def test_a_clock_that_was_set_back_makes_nothing_last(tmp_path: Path) -> None:
    clock = Clock()
    memory = GateMemory(tmp_path, "these", clock)
    memory.note(TREE, RED)
    clock.at -= 10 * BELIEVED
    assert memory.of(TREE) is None


def test_other_gates_and_other_trees_are_not_known(tmp_path: Path) -> None:
    GateMemory(tmp_path, "these", Clock()).note(TREE, RED)
    assert GateMemory(tmp_path, "those", Clock()).of(TREE) is None
    assert GateMemory(tmp_path, "these", Clock()).of("b" * 40) is None


def test_it_is_not_remembered_that_a_tree_passed(tmp_path: Path) -> None:
    """Whoever is red there next would be charged for what has changed since."""
    memory = GateMemory(tmp_path, "these", Clock())
    memory.note("b" * 40, RED)
    memory.note(TREE, RED)
    memory.forget(TREE)
    assert memory.of(TREE) is None
    assert memory.of("b" * 40) == RED
    # As an earlier release did.
    memory.note(TREE, RED)
    text = (tmp_path / NAME).read_text().replace('"passed": false', '"passed": true')
    (tmp_path / NAME).write_text(text)
    assert memory.of(TREE) is None


def test_it_stays_small(tmp_path: Path) -> None:
    memory = GateMemory(tmp_path, "these", Clock())
    large = GateVerdict(False, "tests", "x" * 100_000)
    for number in range(100):
        memory.note(f"{number:040x}", large)
    assert (tmp_path / NAME).stat().st_size < 16 * 1024
    assert memory.of(f"{99:040x}") is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "nonsense", '{"these/%s": 5}', '{"these/%s": {"at": "x"}}'),
        *('{"these/%s": {"at": true}}', '{"these/%s": {"at": 1e308, "runs": 5}}'),
    ],
)
def test_whatever_stands_in_the_file_gives_an_answer(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text.replace("%s", TREE))
    memory = GateMemory(tmp_path, "these", Clock())
    assert memory.of(TREE) is None
    memory.note(TREE, RED)
    assert memory.of(TREE) == RED
