"""Tasks that alone made a Job fail: nothing else waits for their next try."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiro_swarm.reconcile.swarms.integrate import others_wait
from tests.unit.reconcile.views import PUSH, view


@pytest.mark.parametrize(
    ("states", "held", "waits"),
    [
        (("Done", "Done"), ("1",), True),
        (("Done", "Done"), ("1", "2"), False),
        (("Done", "Running"), ("1",), False),
        (("Done", "Done"), (), False),
        (("Ready", "Done"), ("1",), True),
        # A list of that length may not be all of them.
        (("Done",) * 12, tuple(map(str, range(1, 11))), False),
    ],
)
def test_who_else_waits(
    states: tuple[str, ...], held: tuple[str, ...], waits: bool
) -> None:
    assert others_wait(view(*states), replace(PUSH, held=held)) == waits
