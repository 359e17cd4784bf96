"""docs/task-files.md: every remark has a row, every example shows what it says."""

from __future__ import annotations

from typing import Dict, List, Set

import pytest

from kiro_swarm.tasks.file.codes import CODES, Code
from kiro_swarm.tasks.file.model import Diagnostic
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import publish
from tests.unit.docs.pages import DOCS, blocks, code_words, read, table_rows

PAGE = read(DOCS / "task-files.md")
REMARKS = table_rows(PAGE.split("## Remarks")[1])[1:]
#: Examples that would be too long to write down, or that nobody would see.
LONG = {
    "unseen-characters": "- [ ] 1. A \u202eB\n",
    "cut": f"- [ ] 1. {'a ' * 1000}\n",
    "too-large": "".join(f"- [ ] {n}. A\n" for n in range(25_001)),
    "too-many-edges": "".join(f"- [ ] 1.{n} A\n" for n in range(2001))
    + "- [ ] 2. B\n  - _Depends: 1_\n",
}


def test_the_table_and_the_code_know_the_same_codes() -> None:
    assert [code_words(row[0]) for row in REMARKS] == [[code] for code in CODES]
    assert sorted(CODES) == list(CODES)
    assert set(CODES) == set(Code.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", REMARKS, ids=lambda row: row[0])
def test_the_example_of_a_remark_shows_it(row: List[str]) -> None:
    (code,) = code_words(row[0])
    example = LONG.get(code) or code_words(row[2])[0].replace("␤", "\n")
    found = publish(parse(example), "tasks.md").diagnostics
    severities = row[1].split(", ")
    assert [d.severity for d in found if d.code == code][:1] == severities[:1]
    # An example is about one thing.
    others: Set[str] = {d.code for d in found if d.severity != "info"} - {code}
    assert others <= {"no-tasks"}


@pytest.mark.parametrize(
    "text",
    ["\n".join(block.lines) for block in blocks(PAGE) if block.language == "markdown"],
)
def test_a_sample_file_has_no_problem(text: str) -> None:
    file = parse(text)
    bad: List[Diagnostic] = [d for d in file.diagnostics if d.severity != "info"]
    assert bad == []
    assert len(file.leaves) > 1


def test_the_samples_mean_what_the_page_says() -> None:
    samples = [
        parse("\n".join(block.lines))
        for block in blocks(PAGE)
        if block.language == "markdown"
    ]
    plan, waves, comments = samples
    needs: List[Dict[str, List[str]]] = [
        {task.id: list(task.waits_for) for task in file.leaves}
        for file in (plan, waves, comments)
    ]
    assert needs == [
        {"1.1": [], "1.2": ["1.1"], "1.3": [], "2": ["1.1", "1.2", "1.3"]},
        {"1.1": [], "1.2": [], "2.1": ["1.1", "1.2"]},
        {"WEB-1": [], "WEB-2": ["WEB-1"]},
    ]
    first = comments.tasks[0]
    assert (first.state, first.priority, first.estimate_seconds) == ("done", 50, 2700)
    assert first.acceptance_criteria == ("Works without a network",)
