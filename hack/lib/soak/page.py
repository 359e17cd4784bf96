"""docs/measurements.md: what was last proven at length, when, and of which commit.

``written`` puts the result of a proof into the page and leaves the others as they are; a
proof that never ran says so. The text around the table is in the page itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Sequence

from hack.lib.soak.proofs import PROOFS, ROOT, Proof, Result

PAGE = ROOT / "docs" / "measurements.md"
BEGIN = "<!-- hack/soak: begin -->"
END = "<!-- hack/soak: end -->"
_HEAD = (
    "| proof | commit | date | seed | passed | took | figures |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n"
)
NEVER = "never run | | | | | |"
_BLOCK = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)


def rows(page: str) -> Dict[str, str]:
    """Proof -> the rest of its row, as it stands in the page."""
    found: Dict[str, str] = {}
    block = _BLOCK.search(page)
    for line in block[0].splitlines() if block else []:
        match = re.match(r"\| `([a-z-]+)` \| (.*)$", line)
        if match:
            found[match[1]] = match[2]
    return found


def figures_of(result: Result) -> str:
    """What was measured, for people: each with its name."""
    return ", ".join(
        (
            f"{name.replace('_', ' ')} {value:,}"
            if isinstance(value, int)
            else f"{name.replace('_', ' ')} {value}"
        )
        for name, value in result.figures.items()
    )


def row(result: Result, commit: str, date: str) -> str:
    """The rest of a row."""
    figures = figures_of(result)
    minutes = f"{result.seconds / 60:.1f} min"
    passed = f"{result.passed}/{result.total}" + ("" if result.good else " **FAILED**")
    cells = (f"`{commit}`", date, result.seed, passed, minutes, figures)
    return " | ".join(cells) + " |"


def written(page: str, known: Dict[str, str], proofs: Sequence[Proof] = PROOFS) -> str:
    """The page with these rows, one for each proof."""
    table = "".join(f"| `{p.name}` | {known.get(p.name, NEVER)}\n" for p in proofs)
    return _BLOCK.sub(lambda _: f"{BEGIN}\n{_HEAD}{table}{END}", page)


def record(
    name: str, result: Result, commit: str, date: str, path: Path = PAGE
) -> None:
    """Write a result down."""
    page = path.read_text(encoding="utf-8")
    known = {**rows(page), name: row(result, commit, date)}
    path.write_text(written(page, known), encoding="utf-8")
