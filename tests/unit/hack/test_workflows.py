"""The workflows of CI: what they name is in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
_HASHED = re.compile(r"hashFiles\(([^)]*)\)")
_RUN = re.compile(r"^\s*- run: (.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"(?:hack|\.ci)/[\w-]+")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.stem))
def test_what_a_workflow_hashes_and_runs_is_there(path: Path) -> None:
    text = path.read_text()
    globs = re.findall(r"'([^']+)'", " ".join(_HASHED.findall(text)))
    programs = _PROGRAM.findall(" ".join(_RUN.findall(text)))
    assert globs
    assert programs
    # GitHub hashes what a pattern finds, and says nothing where that is nothing.
    for pattern in globs:
        assert list(ROOT.glob(pattern)), pattern
    for program in programs:
        assert (ROOT / program).is_file(), program
