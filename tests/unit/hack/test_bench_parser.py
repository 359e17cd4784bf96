"""What the parser is compared with is of the same language."""

from __future__ import annotations

from typing import Callable

import pytest
from lark.exceptions import LarkError

from kiro_swarm.commands.parser import parse
from kiro_swarm.commands.table import COMMANDS
from tests.bench.generated_parser import row_of
from tests.bench.parser import SENTENCES, sentences
from tests.unit.commands.sentences import MEANINGS, VARIATIONS

Read = Callable[[str], str]


@pytest.fixture(scope="module")
def generated() -> Read:
    return row_of()


def test_the_generated_parser_understands_every_sentence_as_ours_does(
    generated: Read,
) -> None:
    for sentence in (*MEANINGS, *VARIATIONS):
        text = sentence.strip()
        assert generated(text) == parse(text).command.name, text


@pytest.mark.parametrize(
    "text", ["sclae instances 5", "run", "scale 5", "stop a b", ""]
)
def test_the_generated_parser_refuses_what_ours_refuses(
    text: str, generated: Read
) -> None:
    with pytest.raises(LarkError):
        generated(text)


def test_the_same_sentences_of_every_row_are_measured_each_time() -> None:
    drawn = sentences()
    assert drawn == sentences()
    assert len(drawn) == SENTENCES
    assert {parse(text).command.name for text in set(drawn)} == {
        command.name for command in COMMANDS
    }
