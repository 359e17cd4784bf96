"""docs/decisions: every record has the form, and the index lists each of them once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.unit.docs.pages import DOCS, name_of, read

FOLDER = DOCS / "decisions"
INDEX = FOLDER / "README.md"
RECORDS = sorted(path for path in FOLDER.iterdir() if path != INDEX)
PARTS = ["Context", "Decision", "Consequences"]
_STATUS = re.compile(
    r"Date: \d{4}-\d\d-\d\d\. Status: (accepted|replaced by (\d{4}))\."
)


def faults(path: Path, text: str) -> Iterator[str]:
    """What is wrong with a record."""
    name = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", path.name)
    if not name:
        yield "its name is not NNNN-title.md"
        return
    lines = text.splitlines()
    if not lines[0].startswith(f"# {name.group(1)}. "):
        yield "its first line is not `# NNNN. The decision`, with the number of its file"
    status = _STATUS.match(lines[2]) if len(lines) > 2 else None
    if not status:
        yield "its third line does not say `Date: ... Status: ...`"
    elif status.group(2) and not list(path.parent.glob(f"{status.group(2)}-*.md")):
        yield "the record that replaces it is not there"
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    if parts[::2] != PARTS:
        yield f"its parts are not {', '.join(PARTS)}"
    elif not all(part.strip() for part in parts[1::2]):
        yield "one of its parts is empty"
    if len(lines) >= 60:
        yield "it has 60 lines or more"


@pytest.mark.parametrize("path", RECORDS, ids=name_of)
def test_a_record_has_the_form(path: Path) -> None:
    assert list(faults(path, read(path))) == []


def test_the_index_lists_every_record_once_in_order() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+?)\) \| \S", read(INDEX), re.MULTILINE)
    assert [name for _, name in listed] == [path.name for path in RECORDS]
    assert [number for number, _ in listed] == [path.name[:4] for path in RECORDS]


def test_no_number_is_used_twice() -> None:
    numbers = [path.name[:4] for path in RECORDS]
    assert sorted(set(numbers)) == numbers


GOOD = (
    "# 0001. A\n\nDate: 2026-01-31. Status: accepted.\n\n"
    "## Context\n\na\n\n## Decision\n\nb\n\n## Consequences\n\nc\n"
)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("0001-a.md", GOOD, []),
        ("1-a.md", GOOD, ["name"]),
        ("0002-a.md", GOOD, ["first line"]),
        ("0001-a.md", GOOD.replace("accepted", "perhaps"), ["third line"]),
        ("0001-a.md", GOOD.replace("accepted", "replaced by 9999"), ["not there"]),
        ("0001-a.md", GOOD.replace("## Decision", "## Choice"), ["parts are not"]),
        ("0001-a.md", GOOD.replace("\nb\n", "\n"), ["empty"]),
        ("0001-a.md", GOOD + "d\n" * 60, ["60 lines"]),
    ],
)
def test_a_fault_is_seen(name: str, text: str, told: List[str]) -> None:
    found = list(faults(FOLDER / name, text))
    assert len(found) == len(told)
    for fault, words in zip(found, told):
        assert words in fault
