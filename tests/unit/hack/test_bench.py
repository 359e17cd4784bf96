"""The benchmark driver: what it finds, shows and answers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.__main__ import benchmarks, main
from tests.bench.report import Measure, as_json, as_table

RATIO = Measure("against the bare loop", 1.3, "x", target=1.15)
SECONDS = Measure("time to 1000 pods", 12.0, "s")


@pytest.mark.parametrize(
    ("value", "missed"),
    [(1.0, False), (1.15, False), (1.16, True), (math.nan, True)],
    ids=["below", "at the target", "above", "not a number"],
)
def test_a_target_is_the_largest_good_value(value: float, missed: bool) -> None:
    assert Measure("m", value, "x", target=1.15).missed is missed


def test_ratios_come_first_and_one_miss_fails_the_whole() -> None:
    document = as_json("pods", [SECONDS, RATIO])
    assert [measure["unit"] for measure in document["measures"]] == ["x", "s"]
    assert document["passed"] is False
    assert as_json("pods", [SECONDS])["passed"] is True


def test_the_table_says_by_how_much_a_target_was_missed() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(as_table("pods", [SECONDS, RATIO]))
    assert "missed, 1.13 times the target" in capture.get()


def test_a_benchmark_is_a_module_with_a_run(tmp_path: Path) -> None:
    (tmp_path / "api_writes.py").write_text('"""Writes."""\ndef run(arguments): ...\n')
    (tmp_path / "report.py").write_text('"""No benchmark."""\n')
    assert benchmarks(tmp_path) == {"api-writes": "Writes."}


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such"]) == 2
    assert "no benchmark 'no-such'" in capsys.readouterr().err


def test_the_report_is_json_all_the_way() -> None:
    assert json.loads(json.dumps(as_json("pods", [RATIO])))["benchmark"] == "pods"
