"""How large the proofs are that have two sizes: small in hack/test, whole in hack/soak.

Both are the same tests with the same judges; nothing is asserted of the whole that is not
asserted of the small one, though a bound may be tighter where a longer run allows it
(``tests/e2e/test_forty_tasks.py``). hack/soak says so by KIRO_SWARM_SOAK=1. What a run has measured
beside that, it tells by the fixture ``figures``: the end of a run of pytest shows it, and
hack/soak writes it down.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, Iterable, List, Tuple, TypeVar

import pytest

T = TypeVar("T")
Figures = Callable[..., None]
FIGURES = "figures"
#: Chosen before the first test is collected, and the same for all.
SOAK = os.environ.get("KIRO_SWARM_SOAK") == "1"


def sized(small: T, whole: T) -> T:
    """The one of the two that this run is of."""
    return whole if SOAK else small


def every(nth: int, rows: Iterable[T]) -> List[T]:
    """All rows of a table in hack/soak, and each nth of them in hack/test.

    With a ``nth`` that does not divide the length of a line, each line and each column of
    the table is still met.
    """
    return list(rows)[:: sized(nth, 1)]


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Tells what was measured, by name, beside what was asserted."""

    def tell(**values: Any) -> None:
        properties: List[Tuple[str, object]] = request.node.user_properties
        properties.append((FIGURES, json.dumps(values)))

    return tell


def told(properties: List[Tuple[str, object]]) -> Dict[str, Any]:
    """What a test's report has of that."""
    found: Dict[str, Any] = {}
    for name, value in properties:
        if name == FIGURES:
            found.update(json.loads(str(value)))
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured, by whatever worker."""
    for report in terminalreporter.getreports("passed"):
        found = told(report.user_properties) if report.when == "call" else {}
        if found:
            shown = ", ".join(f"{name} {value}" for name, value in found.items())
            terminalreporter.write_line(f"{report.nodeid}: {shown}")
