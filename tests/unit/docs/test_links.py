"""Links and paths in the pages lead somewhere, and to no machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, List, Set

import pytest

from tests.unit.docs.pages import (
    DOCS,
    ROOT,
    code_words,
    existing_pages,
    name_of,
    outside_of_code,
    read,
)

PAGES = existing_pages()
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TOP = ("operator/", "hack/", "helm/", "manifests/", "tests/", "crds/", "examples/")
#: Folders of whoever wrote the page, not of this project or of its containers.
_OF_A_MACHINE = re.compile(r"(?<![\w.~}])/(?:root|work|Users|mnt|home/(?!kiro\b))\b")


def anchors(text: str) -> Set[str]:
    """What a link may have after its hash, as GitHub makes it from headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in headings
    }


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Every relative link of a page that leads nowhere."""
    for link in _LINK.findall(outside_of_code(text)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        if not found.exists() or ROOT not in (found, *found.parents):
            yield f"{link}: there is no such file"
        elif anchor and anchor not in anchors(read(found)):
            yield f"{link}: there is no such heading"


def test_there_are_pages_to_look_at() -> None:
    names = {name_of(path) for path in PAGES}
    assert {"README.md", "AGENTS.md", "docs/architecture.md"} <= names


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert list(broken_links(path, read(path))) == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[a](security.md)", []),
        ("[a](security.md#known-limits)", []),
        ("[a](https://example.com/x)", []),
        ("`[a](gone.md)`", []),
        ("[a](gone.md)", ["gone.md: there is no such file"]),
        ("[a](security.md#gone)", ["security.md#gone: there is no such heading"]),
        ("[a](../../up.md)", ["../../up.md: there is no such file"]),
    ],
)
def test_a_broken_link_is_seen(text: str, problems: List[str]) -> None:
    assert list(broken_links(DOCS / "new.md", text)) == problems


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_path_of_the_project_that_is_named_exists(path: Path) -> None:
    named = [word for word in code_words(read(path)) if word.startswith(_TOP)]
    plain = [word for word in named if not re.search(r"[*<>{}\[\]A-Z ]", word)]
    assert [word for word in plain if not (ROOT / word).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_path_of_a_machine_is_named(path: Path) -> None:
    assert _OF_A_MACHINE.findall(read(path)) == []


def test_a_path_of_a_machine_is_seen() -> None:
    for text in ("in /root/x", "`/home/me/x`", "(/Users/me)"):
        assert _OF_A_MACHINE.search(text), text
    for text in ("/home/kiro", "docs/work", "https://example.com/work/x", "~/work"):
        assert not _OF_A_MACHINE.search(text), text


@pytest.mark.parametrize(
    "path", sorted({*DOCS.glob("*.md")} - {DOCS / "README.md"}), ids=name_of
)
def test_a_page_written_by_hand_is_reached_and_short(path: Path) -> None:
    others = [page for page in PAGES if page != path]
    assert any(path.name in read(page) for page in others)
    assert len(read(path).splitlines()) <= 200
