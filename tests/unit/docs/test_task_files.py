"""docs/task-files.md: every remark has a row, every example shows what it says."""

from __future__ import annotations

import re
from typing import Dict, List, Set

import pytest

from kiro_swarm.tasks.file.codes import CODES, Code
from kiro_swarm.tasks.file.model import Diagnostic
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import publish
from tests.unit.docs.pages import DOCS, blocks, code_words, read, table_rows

PAGE = read(DOCS / "task-files.md")
REMARKS = table_rows(PAGE.split("## Remarks")[1])[1:]
TOLD = table_rows(PAGE.split("### Fields that are told")[1].split("\n## ")[0])[1:]
#: What a remark `unread-field` says, one of each kind: the page has an example of all of them.
UNREAD = (
    "names tasks and is not read",
    "is not read as a dependency: not all of it are other tasks",
    "is not known and not read; did you mean",
    "has no ':' and is not read",
    "stands in brackets, quotes, code or behind a sign and is not read; write",
    "is not read; there is no task",
    "ends as if it went on",
    "behind the field of task 3 is not read",
)
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


def unread(field: str) -> List[Diagnostic]:
    text = f"- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n  - {field}\n"
    found = parse(text).diagnostics
    return [remark for remark in found if remark.severity != "info"]


def spans(cell: str) -> List[str]:
    """Code spans, those between two backticks too."""
    double = re.findall(r"`` (.+?) ``", cell)
    return double + code_words(re.sub(r"`` .+? ``", "", cell))


@pytest.mark.parametrize("row", TOLD, ids=lambda row: row[0])
def test_each_field_that_is_told_is(row: List[str]) -> None:
    for written in spans(row[0]):
        (remark,) = unread(written)
        assert remark.code == "unread-field", written
    for proposed in spans(row[2]):
        assert unread(proposed) == []


def test_the_page_has_each_kind_of_field_that_is_told() -> None:
    said = [unread(written)[0].message for row in TOLD for written in spans(row[0])]
    assert [kind for kind in UNREAD if not any(kind in text for text in said)] == []
    assert [text for text in said if not any(kind in text for kind in UNREAD)] == []
