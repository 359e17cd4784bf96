"""The first word decides the permission: parser and admission policy see the same one.

The policy runs in the API server, which knows no grammar: it lowers ASCII letters, parts
the text at spaces and looks the first part up. What it lets through without a permission
must mean nothing to the parser.
"""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.grammar import fold
from kiro_swarm.commands.parser import PARSER, parse
from tests.unit.commands.sentences import MEANINGS, VARIATIONS

FIRST_WORDS = sorted(PARSER.grammar.permissions)
NOT_ASCII = range(0x80, sys.maxunicode + 1)

#: What the API server refuses before anything is looked up.
UNREADABLE = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
MOST = 4096

KELVIN = "\u212a"


def permission_seen_by_the_policy(text: str) -> str:
    """The policy's expressions in Python: "" where it asks for no permission."""
    lowered = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)
    words = [word for word in lowered.split(" ") if word != ""]
    return PARSER.grammar.permissions.get(words[0], "") if words else ""


def admitted(text: str) -> bool:
    return len(text) <= MOST and not UNREADABLE.search(text)


@pytest.mark.parametrize("text", [*MEANINGS, *VARIATIONS])
def test_parser_and_policy_ask_for_the_same_permission(text: str) -> None:
    assert permission_seen_by_the_policy(text.strip("\n")) == parse(text).permission


PIECES = st.one_of(
    st.sampled_from(FIRST_WORDS),
    st.sampled_from([*FIRST_WORDS, "task", "swarm", "2.1", "all", "tasks"]).flatmap(
        lambda word: st.sampled_from([word.upper(), word.title(), f'"{word}"'])
    ),
    st.sampled_from([" ", "  ", "\u00a0", "\u3000", "\u2028", "\t", "\n", "\u200b"]),
    st.text(max_size=4),
)
SENTENCES = st.sampled_from([*MEANINGS, *VARIATIONS])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Sentences with strange characters in, before and instead of their letters."""
    text = draw(SENTENCES | st.lists(PIECES, max_size=5).map(" ".join))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, min(len(text), 12)))
        kept = draw(st.integers(0, 1))
        text = text[:place] + draw(st.characters()) + text[place + kept :]
    return text


@given(texts())
@example(f"rollbac{KELVIN} integration batch-5")
@example("RUN task 2.1")
@example('"stop" all tasks')
@example("\u00a0stop all tasks")
@example("ſtop all tasks")
def test_what_the_policy_admits_the_parser_reads_with_that_permission(
    text: str,
) -> None:
    if not admitted(text):
        return
    try:
        action = parse(text)
    except SentenceError:
        return
    assert permission_seen_by_the_policy(text) == action.permission != ""


def test_the_kelvin_sign_is_no_k() -> None:
    assert KELVIN.lower() == "k", "what makes this dangerous"
    text = f"rollbac{KELVIN} integration batch-5"
    assert permission_seen_by_the_policy(text) == ""
    with pytest.raises(SentenceError, match="unknown command"):
        parse(text)


def test_only_ascii_is_folded() -> None:
    assert fold("RollBack") == "rollback"
    assert [c for c in map(chr, NOT_ASCII) if fold(c) != c] == []


def test_no_other_character_can_stand_in_a_first_word() -> None:
    """All of Unicode, in the place of each letter that it could be taken for."""
    root = PARSER.grammar.root
    letters = set("".join(FIRST_WORDS))
    taken = []
    for char in map(chr, NOT_ASCII):
        compatible = unicodedata.normalize("NFKC", char).casefold()
        likely = letters.intersection((char.lower(), char.casefold(), compatible))
        words = [word.replace(form, char) for form in likely for word in FIRST_WORDS]
        # What is like no letter could stand anywhere; one word is enough for it.
        words = words or [f"{char}stop", f"stop{char}"]
        taken += [
            word
            for word in words
            if char in word and root.other_spelling(word, first=True) is not None
        ]
    assert taken == []


def test_a_modifier_cannot_be_said_with_other_letters_either() -> None:
    with pytest.raises(SentenceError, match="unexpected"):
        parse("stop instance demo-1 graceſul")
    with pytest.raises(SentenceError, match="unknown word 'tas\u212a'"):
        parse("run tas\u212a 2.1")
    with pytest.raises(SentenceError, match=r"has no 'ſince='"):
        parse("retry failed messages ſince=10m")
