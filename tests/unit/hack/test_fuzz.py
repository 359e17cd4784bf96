"""hack/fuzz: it finds what is wrong, says it shortly, and is the same with one seed."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Callable, List

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.engine import LONGEST, Failure, Report, Target, attempt, mutated, search
from tests.fuzz.targets import targets

ROOT = Path(__file__).resolve().parents[3]


def rounds() -> Callable[[], float]:
    """A clock that goes on by one whenever it is read: a search of so many texts."""
    return itertools.count().__next__


def searched(target: Target, texts: int, seed: int = 1) -> Report:
    *_, report = search(target, texts, seed, rounds())
    return report


def breaks_on(word: str) -> Target:
    """A parser with a planted defect, some steps away from its only example."""

    def check(text: str) -> str:
        if word in text:
            raise KeyError(word)
        return str([text.count(piece) for piece in "abc"])

    return Target("planted", ["aabb"], ["a", "b", "c"], check)


def never_ends(text: str) -> str:
    while "c" in text:
        pass
    return ""


@pytest.mark.parametrize("word", ["c", "ccc", "cabac"])
def test_a_planted_defect_is_found_and_its_text_made_short(word: str) -> None:
    failure = searched(breaks_on(word), 5000).failure
    assert failure == Failure(word, f"KeyError: {word!r}")


def test_a_parser_that_does_not_end_is_found() -> None:
    target = Target("endless", ["a"], ["b", "c"], never_ends, limit=0.05)
    failure = searched(target, 500).failure
    assert failure is not None
    assert failure.error == "TooSlow: more than 0.05 s of processor time"
    assert "c" in failure.text


def test_where_nothing_is_wrong_nothing_is_found() -> None:
    report = searched(breaks_on("no such piece"), 2000)
    assert report.failure is None
    assert report.inputs >= 1900
    assert report.kinds > 10


def test_the_examples_come_first() -> None:
    seen: List[str] = []

    def check(text: str) -> str:
        seen.append(text)
        return ""

    searched(Target("all", ["one", "two"], ["x"], check), 20)
    assert seen[:2] == ["one", "two"]


def test_one_seed_gives_the_same_texts() -> None:
    def some(seed: int) -> List[str]:
        draw = random.Random(seed)
        return [mutated(draw, ["run task 2.1"], ["x", " "]) for _ in range(200)]

    assert some(1) == some(1) != some(2)
    assert len(set(some(1))) > 150
    assert all(len(text) <= LONGEST for text in some(1))


def test_progress_is_reported_on_the_way() -> None:
    reports = search(breaks_on("no such piece"), 1600, 1, rounds())
    assert len(list(reports)) >= 3


@pytest.mark.parametrize("name", ["sentences", "tasks"])
def test_the_parsers_of_the_project_stand_a_short_search(name: str) -> None:
    target = targets()[name]
    report = searched(target, 300)
    assert report.failure is None
    assert report.kinds > 20


@pytest.mark.parametrize(
    "text",
    ["run task 2.1", "rollbac\u212a integration x", "", '"', "stop instance a b"],
)
def test_a_sentence_has_a_kind_of_outcome(text: str) -> None:
    assert isinstance(attempt(targets()["sentences"], text), str)


def test_the_driver_ends_with_1_and_shows_the_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = {"planted": breaks_on("cc"), "later": breaks_on("a")}
    assert main(["--seconds", "60", "--seed", "3"], known) == 1
    shown = capsys.readouterr().out
    assert "seed 3" in shown
    assert "fuzz: planted fails: KeyError: 'cc'" in shown
    assert "fuzz: with this text: 'cc'" in shown
    assert "later" not in shown


def test_the_driver_ends_with_0_when_nothing_was_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = {"fine": breaks_on("no such piece"), "bad": breaks_on("a")}
    assert main(["--seconds", "0.05", "--target", "fine"], known) == 0
    assert "kinds of outcome" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "nothing"], "invalid choice: 'nothing'"),
        (["--seconds", "0"], "--seconds: must be above 0, got 0"),
        (["--seconds", "nan"], "--seconds: must be above 0, got nan"),
        (["--seconds", "soon"], "invalid float value: 'soon'"),
    ],
)
def test_a_bad_option_is_named(
    arguments: List[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, {"fine": breaks_on("c")})
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_it_can_be_started_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "0.2", "--seed", "1"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "operator"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "sentences" in done.stdout
    assert "tasks" in done.stdout


def test_a_search_of_long_texts_stays_within_its_memory() -> None:
    """Four repetitions by 300 in a row once made texts of gigabytes before the cut."""
    draw = random.Random(5)
    tracemalloc.start()
    try:
        for _ in range(2000):
            assert len(mutated(draw, ["ab" * (LONGEST // 2)], ["a"])) <= LONGEST
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * LONGEST
