"""AGENTS.md: what it names is there, every package is on it, ten changes lead somewhere."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List

import pytest

from tests.unit.docs.pages import ROOT, blocks, code_words, read

PACKAGE = ROOT / "operator" / "kiro_swarm"
MAP = read(ROOT / "AGENTS.md")
CHANGES = {
    "A sentence",
    "A status field of KiroTask",
    "An agent type",
    "A conflict policy",
    "A metric",
    "A field of KiroSwarm",
    "A message bus",
    "A recovery plan",
    "A view of kubectl swarm",
    "A version of the CRDs",
}
_PATH = re.compile(r"[\w.-]+(/[\w.*-]+)+/?|[\w-]+\.(py|md|toml)")


def sections(text: str) -> Dict[str, str]:
    """The parts below ``## Ten changes``, by their headings."""
    _, _, rest = text.partition("\n## Ten changes")
    parts = re.split(r"^### (.+)$", rest.partition("\n## ")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def paths(text: str) -> List[str]:
    """The paths that a text names as code."""
    return [word for word in code_words(text) if _PATH.fullmatch(word)]


def missing(text: str) -> Iterator[str]:
    """Paths that are neither below the root nor in the package."""
    for path in paths(text):
        if not any((folder / path).exists() for folder in (ROOT, PACKAGE)):
            yield path


def named_in_the_tree() -> List[str]:
    """The packages that the block about packages lists."""
    tree = next(block for block in blocks(MAP) if "operator/kiro_swarm/" in block.text)
    return re.findall(r"^ {2}(\w+)/ ", tree.text, re.MULTILINE)


def test_every_package_is_on_the_map_and_no_other() -> None:
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(named_in_the_tree()) == sorted(there)


def test_the_ten_changes_are_there() -> None:
    assert set(sections(MAP)) == CHANGES


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_change_names_its_files_in_order_and_they_exist(change: str) -> None:
    text = sections(MAP)[change]
    steps = re.findall(r"^(\d)\. ", text, re.MULTILINE)
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) >= 3
    assert len(paths(text)) >= len(steps)


def test_nothing_is_named_that_is_gone() -> None:
    assert list(missing(MAP)) == []
    in_blocks = re.findall(
        r"(?<![\w/])(?:hack|tests|\.ci)/[\w/.-]*\w",
        "".join(b.text for b in blocks(MAP)),
    )
    assert len(in_blocks) > 10
    assert [path for path in in_blocks if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("`api/task.py`, `docs/security.md` and `CHANGELOG.md`", []),
        ("`api/gone.py` and `hack/gone`", ["api/gone.py", "hack/gone"]),
        ("`spec.communication`, `run task ID`, `not_yet`", []),
        ("`gone.py`", ["gone.py"]),
    ],
)
def test_a_file_that_is_gone_is_seen(text: str, gone: List[str]) -> None:
    assert list(missing(text)) == gone
