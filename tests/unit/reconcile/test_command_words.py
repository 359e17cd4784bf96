"""What a command says of itself is harmless, whoever's words are in it."""

from __future__ import annotations

import pytest

from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import Executor, Outcome, Partial
from tests.support.hostile_words import HOSTILE, is_harmless
from tests.unit.reconcile.world import World


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_message_is_one_printable_line_and_the_result_keeps_its_lines(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    said = f"one {text}\n  two\n\n{'x' * 9000}"
    partial = (Partial("demo-1", True, True, said),)
    speaker = Executor(lambda _: Outcome(True, said, partial=partial))
    monkeypatch.setitem(EXECUTORS, "status swarm", speaker)
    world.apply_swarm()
    world.say("status swarm")
    await world.live(2)
    answer = world.answer()
    told = [answer["message"], answer["partialResults"][0]["message"]]
    for line in (*told, answer["conditions"][0]["message"]):
        assert is_harmless(line)
        assert len(line.splitlines()) == 1
        assert len(line.encode()) <= 4096
    assert is_harmless(answer["result"]["message"])
    assert "\n  two\n" in answer["result"]["message"]
