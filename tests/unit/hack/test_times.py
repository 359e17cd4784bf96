"""The budget of the tests: a slow machine is not at fault, a slow file is."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest

from hack.lib import times
from hack.lib.times import main, measured, problems

FILE, OTHER, THIRD = (f"tests/unit/test_{n}.py" for n in ("one", "two", "three"))
KNOWN = {FILE: 4.0, OTHER: 6.0, THIRD: 2.0}


def test_a_report_is_summed_by_file(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    cases = (
        '<testcase classname="tests.unit.api.test_meta" name="a" time="1.5"/>'
        '<testcase classname="tests.unit.api.test_meta.TestB" name="b" time="2"/>'
        '<testcase classname="tests.unit.test_layers" name="c" time="0.25"/>'
    )
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert measured([report]) == {
        "tests/unit/api/test_meta.py": 3.5,
        "tests/unit/test_layers.py": 0.25,
    }


def test_of_a_test_that_ran_twice_the_shorter_time_counts(tmp_path: Path) -> None:
    """Beside a busy cluster a test takes five times as long, and nobody is at fault."""
    for name, times_of_it in {"all": (50, 1), "unit-3.13": (9, 3)}.items():
        cases = "".join(
            f'<testcase classname="tests.unit.test_layers" name="{test}" time="{time}"/>'
            for test, time in zip("ab", times_of_it)
        )
        (tmp_path / f"{name}.xml").write_text(f"<testsuite>{cases}</testsuite>")
    assert measured(sorted(tmp_path.glob("*.xml"))) == {"tests/unit/test_layers.py": 10}


@pytest.mark.parametrize("factor", [0.5, 1.0, 7.0])
def test_a_machine_of_any_speed_is_fine(factor: float) -> None:
    assert list(problems({f: s * factor for f, s in KNOWN.items()}, KNOWN)) == []


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_file_that_is_far_beyond_its_part_is_told(factor: float) -> None:
    spent = {f: s * factor for f, s in KNOWN.items()}
    spent[FILE] = times.MOST["unit"] * times.SLACK * factor + times.NOISE + 1
    told, *_ = problems(spent, KNOWN)
    assert told.startswith(f"{FILE} took {spent[FILE]:.0f} s")
    assert "--durations" in told


def test_many_files_that_each_add_a_little_are_told_together() -> None:
    known = {f"tests/unit/test_{n}.py": 2.0 for n in range(30)}
    added = {f"tests/unit/test_new_{n}.py": 10.0 for n in range(20)}
    (told,) = problems({**known, **added}, known)
    assert told.startswith("all tests together took 260 s where 60 s are recorded")
    assert "hack/soak" in told


def test_a_run_of_some_is_not_judged_by_all_together() -> None:
    added = {f"tests/unit/test_new_{n}.py": 10.0 for n in range(20)}
    assert list(problems({FILE: 4.0, **added}, KNOWN)) == []


def test_every_exception_is_a_file_with_a_reason() -> None:
    for file, reason in times.EXCEPTIONS.items():
        assert (times.ROOT / file).is_file(), file
        assert reason


def test_a_file_that_is_gone_is_no_longer_recorded(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    path.write_text('{"tests/conftest.py": 1.5, "tests/gone.py": 9}')
    assert times.recorded(path) == {"tests/conftest.py": 1.5}
    assert times.recorded(tmp_path / "none.json") == {}


def test_without_a_report_there_is_nothing_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "none.xml")]) == 0
    assert "nothing to judge" in capsys.readouterr().out


def test_the_pace_is_that_of_the_middle_of_a_part() -> None:
    other = "tests/e2e/test_four.py"
    spent: Dict[str, float] = {FILE: 8.0, OTHER: 12.0, THIRD: 200.0, other: 50.0}
    known = {**KNOWN, other: 10.0}
    assert times.pace(spent, known, "unit") == 2.0
    assert times.pace(spent, known, "e2e") == 5.0
    assert times.pace({}, known, "unit") == 1.0
