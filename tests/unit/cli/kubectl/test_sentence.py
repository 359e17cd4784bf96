"""Words of a shell become a sentence; a wrong one is shown with a mark."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.sentence import sentence_of, understood
from kiro_swarm.cli.kubectl.spoken import Spoken
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.lexer import plain, split
from kiro_swarm.commands.parser import parse


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "task", "2.1"], "run task 2.1"),
        (["run task 2.1 beast-mode"], "run task 2.1 beast-mode"),
        (["reject", "task", "1", "reason=too slow"], 'reject task 1 reason="too slow"'),
        (
            ["reject", "task", "1", 'reason=says "no"'],
            r'reject task 1 reason="says \"no\""',
        ),
        (
            ["test", "protocol", "parse", "run task 1"],
            'test protocol parse "run task 1"',
        ),
        (["test", "protocol", "parse", '"run 1"'], 'test protocol parse "run 1"'),
        (["run", "task", ""], 'run task ""'),
    ],
)
def test_quotes_that_the_shell_took_come_back(words: list[str], sentence: str) -> None:
    assert sentence_of(words) == sentence


@given(st.text(min_size=1, max_size=30).filter(str.isprintable))
def test_an_argument_of_a_shell_stays_one_word(word: str) -> None:
    try:
        expected = split(word)
    except ValueError:
        expected = []
    read = split(sentence_of(["run", "task", word]))[2:]
    assert len(read) == 1
    if len(expected) != 1 and "=" not in word:
        assert plain(read[0]) == word


@pytest.mark.parametrize(
    ("sentence", "marked"),
    [
        ("run tsk 2.1", "      ^"),
        ("scale instances lots", "                  ^"),
        ("run task", "          ^"),
        ("statsu swarm", "  ^"),
    ],
)
def test_the_mark_is_under_the_word(sentence: str, marked: str) -> None:
    with pytest.raises(Failure) as caught:
        understood(sentence)
    assert caught.value.status == NOT_UNDERSTOOD
    assert caught.value.hints[:2] == (f"  {sentence}", marked)


def test_suggestions_are_whole_command_lines() -> None:
    with pytest.raises(Failure) as caught:
        understood("statsu swarm", Spoken(("-n", "a b"), "shop"))
    assert (
        "did you mean: kubectl swarm -n 'a b' shop status swarm" in caught.value.hints
    )


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("run task 1", "kubectl swarm -n t -o json run run task 1"),
        ('log "$(id)"', "kubectl swarm -n t -o json run 'log \"$(id)\"'"),
    ],
)
def test_a_shell_takes_a_line_word_for_word(sentence: str, line: str) -> None:
    spoken = Spoken.of(["-n", "t", "run", "-o", "json", "--", "x"], "run")
    assert spoken.line(sentence) == line
    named = Spoken.of(["-n", "t"], "run", named=True)
    assert named.line("status swarm") == "kubectl swarm -n t --swarm run status swarm"


@pytest.mark.parametrize(
    ("spoken", "line"),
    [
        (Spoken(("-n", "t", "-o", "json"), "notes"), "notes -n t"),
        (Spoken(("--swarm", "a", "--context=x")), "a --context=x"),
        (Spoken(("--swarm=a",)), "a"),
        (Spoken(), "NAME"),
    ],
)
def test_who_would_delete_a_swarm_is_told_how(spoken: Spoken, line: str) -> None:
    with pytest.raises(Failure) as caught:
        understood("delete swarm", spoken)
    assert caught.value.hints[-1] == f"to delete it: kubectl delete kiroswarm {line}"


def test_without_a_suggestion_the_help_is_named() -> None:
    with pytest.raises(Failure) as caught:
        understood("zzzz")
    assert caught.value.hints[-1] == "kubectl swarm help lists all sentences"


def test_the_mark_counts_wide_characters_and_shows_no_control_characters() -> None:
    with pytest.raises(Failure) as caught:
        understood("漢字 swarm")
    assert caught.value.hints[1] == "  ^"
    with pytest.raises(Failure) as caught:
        understood("run 漢字 swarm")
    assert caught.value.hints[1] == "      ^"
    with pytest.raises(Failure) as caught:
        understood("run \x1b[2Jtask 1")
    assert caught.value.hints[:2] == ("  run \N{BULLET}[2Jtask 1", "      ^")


def test_a_long_sentence_is_cut_around_the_place() -> None:
    sentence = "run task 1 " + "please " * 80 + "nonsense"
    with pytest.raises(Failure) as caught:
        understood(sentence)
    shown, mark = caught.value.hints[:2]
    assert len(shown) <= 74
    assert shown[mark.index("^") :].startswith("nonsense")


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(SentenceError):
        parse(text)
        return
    with pytest.raises(Failure) as caught:
        understood(text)
    assert caught.value.status == NOT_UNDERSTOOD
    assert all(line.isprintable() for line in caught.value.hints[:2])
