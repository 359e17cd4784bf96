"""Every reason has an entry in the troubleshooting, every condition its row."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

from hack.lib.docs.reasons import CONDITIONS as TYPES
from hack.lib.docs.reasons import PACKAGE, reasons, words
from kiro_swarm.api.condition_reasons import REASONS
from tests.unit.docs.pages import DOCS, ROOT, code_words, read, table_rows
from tests.unit.docs.test_samples import CONDITIONS

TROUBLESHOOTING = "\n".join(
    read(DOCS / name) for name in ("troubleshooting.md", "troubleshooting-merges.md")
)
PAGE = read(DOCS / "conditions.md")
RECONCILE = ROOT / PACKAGE / "reconcile"


def entries() -> Dict[str, List[str]]:
    """Reason -> its row in the troubleshooting."""
    return {
        reason: row
        for row in table_rows(TROUBLESHOOTING)
        for reason in code_words(row[0])
    }


def conditions_made() -> Set[Tuple[str, str]]:
    """Kind and type of every condition that the code makes, read from its calls."""
    kinds = {
        RECONCILE / "swarms/conditions.py": "KiroSwarm",
        RECONCILE / "instances/decision.py": "KiroInstance",
        RECONCILE / "commands/answer/status.py": "SwarmCommand",
        RECONCILE / "tasks/lateness.py": "KiroTask",
        ROOT / PACKAGE / "policy" / "conflicts.py": "KiroTask",
    }
    return {(kind, name) for module, kind in kinds.items() for name in _made_in(module)}


def _made_in(path: Path) -> Iterator[str]:
    module = ast.parse(read(path))
    named = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = {"make": 0, "condition": 1}.get(node.func.id)
        if place is not None:
            given = node.args[place]
            if isinstance(given, ast.Name):
                given = named.get(given.id, given)
            for inner in ast.walk(given):
                if isinstance(inner, ast.Constant) and inner.value in TYPES:
                    yield str(inner.value)


def test_every_reason_has_an_entry() -> None:
    missing = set(reasons(ROOT)) - set(entries())
    assert missing == set(), "add them to docs/troubleshooting*.md, or see reasons.py"


def test_no_entry_is_about_a_reason_that_nothing_gives() -> None:
    assert set(entries()) - set(reasons(ROOT)) == set()


def test_an_entry_says_why_and_unless_all_is_well_what_to_do() -> None:
    for reason, row in entries().items():
        assert len(row) == 3, reason
        assert row[1], reason


def test_every_condition_that_is_made_has_a_row_and_no_other() -> None:
    made = conditions_made()
    assert made == {
        (kind, name) for kind, names in CONDITIONS.items() for name in names
    }
    rows = table_rows(PAGE)
    swarms = {("KiroSwarm", *code_words(row[0])) for row in rows if len(row) == 4}
    others = {(row[0], *code_words(row[1])) for row in rows if len(row) == 3}
    told = {item for item in swarms | others if len(item) == 2}
    assert told == made


def test_every_reason_of_a_swarm_s_conditions_is_in_their_table() -> None:
    given = set(words(read(RECONCILE / "swarms/conditions.py"))) & set(reasons(ROOT))
    told = {
        word for row in table_rows(PAGE) for cell in row for word in code_words(cell)
    }
    assert given - told == set()


def test_the_page_has_the_reasons_of_the_declared_table_each_beside_its_status() -> (
    None
):
    found = [row for row in table_rows(PAGE) if len(row) == 4]
    rows = {word: row for row in found for word in code_words(row[0])}
    for name, statuses in REASONS["KiroSwarm"].items():
        for column, status in ((2, "True"), (3, "False")):
            told = set(code_words(rows[name][column]))
            words = set(statuses[status].words)
            if name == "Reconciling" and status == "True":
                words &= told  # the page says "the phase" for those that are one
            assert told == words, (name, status)


def test_every_word_of_the_declared_table_has_an_entry() -> None:
    of_swarms = {
        word
        for statuses in REASONS["KiroSwarm"].values()
        for row in statuses.values()
        for word in row.words
    }
    phases = set(REASONS["KiroSwarm"]["Reconciling"]["True"].words)
    assert of_swarms - set(entries()) - phases == set()


def test_a_new_word_is_a_reason_until_it_is_listed(tmp_path: Path) -> None:
    package = tmp_path / PACKAGE / "jobs"
    package.mkdir(parents=True)
    (package / "new.py").write_text(
        'A = {"reason": "VolumeFull"}\nB = ("Running", "KiroTask", "a text", "PATH")\n'
    )
    assert reasons(tmp_path) == {"VolumeFull": ["jobs/new.py"]}
