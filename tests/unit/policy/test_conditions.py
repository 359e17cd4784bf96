"""Conditions: each message is one printable line, whoever's words are in it."""

from __future__ import annotations

from datetime import datetime, timezone

from kiro_swarm.policy.conditions import condition

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)


def test_a_message_is_one_printable_line() -> None:
    words = "refused:\nTo \x1b[31mhttps://x\r\n ! [rejected]\u202e\t why"
    for text in (words, words * 999):
        told = condition([], "A", True, "B", text, generation=1, now=NOW)["message"]
        assert told.isprintable()
        assert len(told) <= 4096
        assert told.startswith("refused: To https://x ! [rejected] why")
