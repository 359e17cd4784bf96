"""Durations, and names that become parts of URLs."""

from __future__ import annotations

import click
import pytest

from kiro_swarm.cli.kubectl.options import Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("90", 90),
        ("500ms", 0.5),
        ("1.5m", 90),
    ],
)
def test_durations_are_written_as_kubectl_has_them(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "5 m", "-5s", "5d", "25h", "1" * 400, "s"]
)
def test_another_text_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)
