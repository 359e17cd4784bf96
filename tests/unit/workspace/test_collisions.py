"""Names that are one on other volumes are refused by both names, but where they always were."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.finished import keep
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Swarm,
    commit,
    git,
    merged,
    unproven,
    write,
)

NFC, NFD = "caf\u00e9", "cafe\u0301"
#: What is there, what a task adds, and what of it is in the way of what.
COLLIDING = {
    "case": (["README"], ["readme"], ("readme", "README")),
    "in a folder": (["docs/a.md"], ["docs/A.md"], ("docs/A.md", "docs/a.md")),
    "case of a folder": (["docs/a.md"], ["Docs/a.md"], ("Docs/a.md", "docs/a.md")),
    "a file for a folder": (["docs/a.md"], ["Docs"], ("Docs", "docs/a.md")),
    "a folder for a file": (["docs"], ["Docs/x/a.md"], ("Docs/x/a.md", "docs")),
    "forms of a letter": ([NFC], [NFD], ("cafe\\u0301", "caf\\xe9")),
    "case beyond ASCII": (["\u00c4"], ["\u00e4"], ("\\xe4", "\\xc4")),
    "a sharp s": (["stra\u00dfe"], ["STRASSE"], ("STRASSE", "stra\\xdfe")),
    "both are new": ([], ["new", "NEW"], ("new", "NEW")),
}
APART = {
    "a folder in two cases": (["docs/a.md"], ["Docs/b.md"]),
    "the name before a dot": (["a"], ["a.b", "A.c"]),
    "a beginning": (["docs/a"], ["docs-more", "Docsx/a"]),
    "bytes that are no text": (["x"], ["\udcff", "\udcfe"]),
}


def begun(swarm: Swarm, there: list[str]) -> None:
    commit(swarm.upstream, dict.fromkeys(there, "there"))
    swarm.prepare()


@pytest.mark.parametrize("case", COLLIDING)
def test_both_names_are_said(swarm: Swarm, case: str) -> None:
    there, added, names = COLLIDING[case]
    begun(swarm, there)
    work = swarm.work(dict.fromkeys(added, "added"))
    said = unproven(swarm, work)
    assert said.startswith("UnusablePath: ")
    assert all(f"'{name}'" in said for name in names), said
    assert said.isascii()


@pytest.mark.parametrize("case", APART)
def test_names_that_are_two_everywhere(swarm: Swarm, case: str) -> None:
    there, added = APART[case]
    begun(swarm, there)
    merged(swarm, swarm.work(dict.fromkeys(added, "added")))


def test_a_name_that_is_only_written_otherwise_is_no_second_one(swarm: Swarm) -> None:
    begun(swarm, ["README", "docs/a.md"])
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "mv", "README", "readme")
    git(tree, "mv", "docs", "Docs")
    merged(swarm, swarm.candidate(made, swarm.gather(made).commit))


def test_whoever_lives_with_such_names_may_add_more(swarm: Swarm) -> None:
    """As Linux does, which has files that differ in case alone."""
    begun(swarm, ["net/xt_MARK.h", "net/xt_mark.h"])
    merged(swarm, swarm.work({"net/xt_DSCP.h": "1", "net/xt_dscp.h": "2"}))


def test_two_tasks_that_collide_only_together(swarm: Swarm) -> None:
    first = swarm.work({"Makefile": "1"})
    second = swarm.work({"makefile": "2"}, index=2, task="1.2")
    merged(swarm, first)
    said = unproven(swarm, second)
    assert said.startswith("UnusablePath: 'makefile' and 'Makefile'")


def test_it_is_told_before_the_attempt_is_done(swarm: Swarm) -> None:
    begun(swarm, ["README"])
    made = swarm.cut()
    write(Path(made.tree), {"readme": "x"})
    done = swarm.candidate(made, swarm.gather(made).commit)
    places = (swarm.shelf(), done.uid, done.attempt, done.instance_dir, swarm.mirror)
    with pytest.raises(ObjectsRefused, match="'readme' and 'README'") as refusal:
        keep(*places, INTEGRATION, done.commit, done.base)
    assert refusal.value.reason == "UnusablePath"
