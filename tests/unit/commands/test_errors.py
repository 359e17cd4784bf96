"""Which text is refused, where, and what the answer teaches."""

from __future__ import annotations

import re
from difflib import get_close_matches

import pytest

from kiro_swarm.commands.errors import SentenceError, any_of
from kiro_swarm.commands.lexer import MAX_BYTES
from kiro_swarm.commands.parser import PARSER, parse
from kiro_swarm.commands.table import COMMANDS

VERBS = tuple(dict.fromkeys(command.verb for command in COMMANDS))
SCALE = ("instances", "swarm", "up", "down")
STOP = ("task", "all", "instance")
NAME = "NAME (the name of an instance)"
COUNT = "COUNT (an integer from 0 to 1000)"

REFUSED: list[tuple[str, str, int, tuple[str, ...], tuple[str, ...]]] = [
    # text, message, position, expected, suggestions
    ("", "empty command", 1, (), ()),
    ("   ", "empty command", 1, (), ()),
    ("\n", "empty command", 1, (), ()),
    (
        "sclae swarm demo to 3",
        "unknown command 'sclae' at column 1; did you mean 'scale'?",
        1,
        VERBS,
        ("scale swarm demo to 3",),
    ),
    (
        "sclae instances 3",
        "unknown command 'sclae' at column 1; did you mean 'scale'?",
        1,
        VERBS,
        ("scale instances 3",),
    ),
    (
        "please run task 2.1",
        f"unknown command 'please' at column 1; expected {any_of(VERBS)}",
        1,
        VERBS,
        ("run task 2.1",),
    ),
    (
        '"run" task 2.1',
        "unknown command '\"run\"' at column 1; did you mean 'run'?",
        1,
        VERBS,
        ("run task 2.1",),
    ),
    (
        "scale",
        "'scale' is not complete at column 6; expected instances, swarm, up or down",
        6,
        SCALE,
        (),
    ),
    (
        "  scale  5",
        "unknown word '5' at column 10; expected instances, swarm, up or down",
        10,
        SCALE,
        ("scale instances 5", "scale swarm to 5"),
    ),
    (
        "scale instances",
        f"'scale instances' needs {COUNT} at column 16",
        16,
        (COUNT,),
        (),
    ),
    (
        "scale instances -1",
        "count must be an integer from 0 to 1000 (the limits of spec.instances), "
        "got '-1' (column 17)",
        17,
        (COUNT,),
        (),
    ),
    (
        "scale instances count=1001",
        "count must be an integer from 0 to 1000 (the limits of spec.instances), "
        "got '1001' (column 23)",
        23,
        (COUNT,),
        (),
    ),
    (
        "run task 2.1 foo=3",
        "'run task' has no 'foo=' (column 14); it has id=",
        14,
        ("id=",),
        (),
    ),
    (
        "status swarm foo=3",
        "'status swarm' has no 'foo=' (column 14); it takes no name=value",
        14,
        (),
        (),
    ),
    (
        "run task 2.1 id=2.2",
        "'id' is given twice (column 14)",
        14,
        (),
        (),
    ),
    (
        "run task 2.1 2.2",
        "unexpected '2.2' at column 14; expected beast-mode or the end of the sentence",
        14,
        ("beast-mode", "the end of the sentence"),
        (),
    ),
    (
        "status swarm detialed",
        "unexpected 'detialed' at column 14; expected detailed, health or the end of "
        "the sentence",
        14,
        ("detailed", "health", "the end of the sentence"),
        ("status swarm detailed",),
    ),
    (
        "run task ../../etc/passwd",
        "'../../etc/passwd' is not a valid id: use letters, digits, '.', '_' and '-', "
        "begin with a letter or digit (max 128) (column 10)",
        10,
        ("ID (a task id)",),
        (),
    ),
    (
        'run task "2.1',
        "missing closing quote for the one opened at column 10",
        10,
        ('"',),
        (),
    ),
    (
        'run task 2"1"',
        "unexpected quote inside a word at column 11; put the whole word in quotes",
        11,
        (),
        (),
    ),
    (
        'run task "2.1"x',
        "missing space after the closing quote at column 14",
        15,
        (" ",),
        (),
    ),
]


@pytest.mark.parametrize(
    ("text", "message", "position", "expected", "suggestions"),
    REFUSED,
    ids=[row[0] or "nothing" for row in REFUSED],
)
def test_the_text_is_refused(
    text: str,
    message: str,
    position: int,
    expected: tuple[str, ...],
    suggestions: tuple[str, ...],
) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(text)
    assert caught.value.message == str(caught.value) == message
    assert caught.value.position == position
    assert caught.value.expected == expected
    assert caught.value.suggestions == suggestions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stpo instance demo-1", VERBS),
        ("cancle task 2.1", VERBS),
        ("rejct task 2.1", VERBS),
        ("restrt instance demo-1", VERBS),
        ("rollbak integration batch-5", VERBS),
        ("cleanpu", VERBS),
        ("kil everything", VERBS),
        ("stop", STOP),
        ("stop demo-1", STOP),
        ("stop al tasks", STOP),
        ("stop instnace demo-1", STOP),
        ("stop instance", (NAME,)),
        ("stop instance Demo_1", ("NAME (the name of an instance)",)),
        ("stop instance demo-1 gracefull", ("graceful", "the end of the sentence")),
        ("stop instance a b", ("graceful", "the end of the sentence")),
        ("stop all instances", ("tasks",)),
        ("scale dwon instances 3", SCALE),
        ("scale donw 3", SCALE),
        ("scale down instances 0", ("COUNT (an integer from 1 to 1000)",)),
        ("remove", ("COUNT (an integer from 1 to 1000)",)),
        ("clean", ("swarm", "up")),
        ("undo everything", ("integration",)),
        ("reassign tasks", ("INSTANCE (the name of an instance)",)),
        ("cancel", ("task", "command", "rescue")),
        ("test failure", ("simulate",)),
    ],
)
def test_a_destructive_sentence_is_never_guessed(
    text: str, expected: tuple[str, ...]
) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(text)
    assert caught.value.expected == expected
    assert caught.value.suggestions == ()
    # The word may be named, where it is the nearest to the one that was written.
    for word in re.findall("did you mean '(.*)'", caught.value.message):
        written = text[caught.value.position - 1 :].split()[0]
        near = [*PARSER.grammar.root.following, "all", "instance", "down"]
        assert get_close_matches(written, near, 1, 0.75) == [word]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("scale instances by 3", 17),
        ("scale up instances to 5", 20),
        ("scale down instances to 1", 22),
        ("scale instances up 3", 17),
        ("scale swarm by 3", 13),
        ("add to 5", 5),
    ],
)
def test_a_number_is_not_taken_for_another_than_was_meant(
    text: str, position: int
) -> None:
    with pytest.raises(SentenceError, match="count must be an integer") as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.suggestions == ()


@pytest.mark.parametrize(
    "name",
    ["Demo_1", "-demo", "demo-", "a.b", "a/b", "$(id)", "ä", "x" * 64, '""', "../x"],
)
def test_a_hostile_instance_name_is_refused_where_it_stands(name: str) -> None:
    with pytest.raises(SentenceError, match="is not a valid name: use a-z") as caught:
        parse(f"stop instance {name}")
    assert caught.value.position == 15


@pytest.mark.parametrize("number", ["1e9", "-1", "+1", "1.0", "½", "٣", "9" * 4000])
def test_a_strange_number_is_refused_where_it_stands(number: str) -> None:
    with pytest.raises(SentenceError, match="count must be an integer") as caught:
        parse(f"scale instances {number}")
    assert caught.value.position == 17
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("\x00", "control character U+0000 at column 5"),
        ("\t", "control character U+0009 at column 5"),
        ("\nstop instance x", "control character U+000A at column 5"),
        ("\x1b[2J", "control character U+001B at column 5"),
        ("\u202e", "invisible character U+202E at column 5"),
        ("\u2066", "invisible character U+2066 at column 5"),
        ("\u200b", "invisible character U+200B at column 5"),
        ("\ud800", "invisible character U+D800 at column 5"),
        ("\u00a0", "unusual space U+00A0 at column 5"),
        ("\u2028", "unusual space U+2028 at column 5"),
    ],
)
def test_what_cannot_be_seen_is_refused_with_its_place(bad: str, message: str) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(f"run {bad}task 2.1")
    assert caught.value.message == message
    assert caught.value.position == 5


@pytest.mark.parametrize(
    "text",
    ["a" * (MAX_BYTES + 1), "ä" * (MAX_BYTES // 2 + 1), "run task x " * 200_000],
    ids=["one byte too many", "few characters, many bytes", "2 MiB"],
)
def test_a_long_text_is_refused(text: str) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(text)
    assert caught.value.message == "a sentence has at most 4096 bytes"


def test_the_longest_text_is_read() -> None:
    text = "run task 2.1"
    assert parse(text + " " * (MAX_BYTES - len(text))).normalized == text


def test_an_error_on_the_wire() -> None:
    with pytest.raises(SentenceError) as caught:
        parse("run task")
    assert caught.value.to_wire() == {
        "message": "'run task' needs ID (a task id) at column 9",
        "position": 9,
        "expected": ["ID (a task id)"],
        "expectation": "ID (a task id)",
        "suggestions": [],
    }


@pytest.mark.parametrize(
    ("text", "message", "suggestions"),
    [
        ("aprove task 1.2", "did you mean 'approve'?", ["approve task 1.2"]),
        ("scal up instances 2", "did you mean 'scale'?", ["scale up instances 2"]),
        ("rejct task 2.1", "did you mean 'reject'?", []),
        ("notes aprove task 1.2", "unknown command 'notes'", []),
        ("delete swarm", "kubectl delete kiroswarm NAME", []),
        ("approve all", "expected task", []),
        # Two commands are equally near, or the opposite is.
        ("npause swarm", "did you mean 'unpause'?", []),
        ("unpausee swarm", "did you mean 'unpause'?", ["resume swarm"]),
        ("unapprove task 2", "unknown command 'unapprove'", []),
        # A name with a number in it is a value, however near it is to a word.
        ("pause swarm-2", "", ["pause task swarm-2", "pause instance swarm-2"]),
        ("stat swarm", "did you mean 'status'?", ["status swarm"]),
        # No verb is guessed.
        ("demo-1 swarm", "unknown command 'demo-1'", []),
    ],
)
def test_what_is_suggested_is_what_was_written(
    text: str, message: str, suggestions: list[str]
) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(text)
    assert message in caught.value.message
    assert [*caught.value.suggestions] == suggestions
