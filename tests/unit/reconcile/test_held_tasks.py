"""Tasks, or a push, that alone made a Job fail: nothing else waits for their next try."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiro_swarm.reconcile.swarms.integrate import others_wait
from tests.unit.reconcile.views import PUSH, view


@pytest.mark.parametrize(
    ("states", "held", "push", "waits"),
    [
        (("Done", "Done"), ("1",), False, True),
        (("Done", "Done"), ("1", "2"), False, False),
        (("Done", "Running"), ("1",), False, False),
        (("Done", "Done"), (), False, False),
        (("Ready", "Done"), ("1",), False, True),
        # A list of that length may not be all of them.
        (("Done",) * 12, tuple(map(str, range(1, 11))), False, False),
        # A push is in the way of no merge, with or without tasks that are held.
        (("Done", "Merged"), (), True, True),
        (("Running", "Merged"), (), True, False),
        (("Done", "Done"), ("1",), True, True),
        (("Done", "Done"), ("1", "2"), True, False),
    ],
)
def test_who_else_waits(
    states: tuple[str, ...], held: tuple[str, ...], push: bool, waits: bool
) -> None:
    assert others_wait(view(*states), replace(PUSH, held=held, push=push)) == waits
