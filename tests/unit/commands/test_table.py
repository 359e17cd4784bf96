"""The table: one row is enough for a new sentence; a bad table is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.help import describe, describe_json, help_text
from kiro_swarm.commands.parser import Parser
from kiro_swarm.commands.table import COMMANDS, Argument, Command, Modifier


def row(verb: str, noun: str, **more: Any) -> Command:
    return Command(
        **{
            "verb": verb,
            "noun": noun,
            "permission": verb,
            "help": "Help.",
            "examples": (),
            **more,
        }
    )


#: Rows as nobody has written them yet.
LATER = (
    row(
        "greet",
        "swarm",
        suffix="warmly",
        parameters=(
            Argument("times", "integer", "How many.", maximum=9),
            Argument("words", "text", "Which.", maximum=99),
        ),
    ),
    row(
        "greet",
        "person",
        qualifier="one",
        arguments=(Argument("name", "text", "A name.", maximum=999),),
        modifiers=(Modifier("very-loud", ""), Modifier("very-clear", "")),
        missing="a voice",
    ),
)


@pytest.mark.parametrize(
    ("text", "arguments", "modifiers", "parameters"),
    [
        (
            "greet swarm warmly words=hello times=3",
            {},
            ("warmly",),
            {"times": 3, "words": "hello"},
        ),
        (
            'greet one person "say \\"hi\\" \\\\ bye"',
            {"name": 'say "hi" \\ bye'},
            ("one",),
            {},
        ),
        (
            "greet one person Ann very clear very loud",
            {"name": "Ann"},
            ("one", "very-loud", "very-clear"),
            {},
        ),
        ("status swarm", {}, (), {}),
    ],
)
def test_a_new_sentence_is_one_row(
    text: str,
    arguments: dict[str, Any],
    modifiers: tuple[str, ...],
    parameters: dict[str, Any],
) -> None:
    parser = Parser((*COMMANDS, *LATER))
    action = parser.parse(text)
    assert action.arguments == arguments
    assert action.modifiers == modifiers
    assert action.parameters == parameters
    assert parser.parse(action.normalized) == action


def test_a_new_row_teaches_too() -> None:
    parser = Parser((*COMMANDS, *LATER))
    with pytest.raises(SentenceError, match="expected swarm or one"):
        parser.parse("greet")
    with pytest.raises(SentenceError) as caught:
        parser.parse("greet swarm warmly now now instances")
    assert caught.value.expected == ("times=", "words=", "the end of the sentence")
    with pytest.raises(SentenceError, match="name has at most 999 characters"):
        parser.parse("greet one person " + "x" * 1000)
    with pytest.raises(SentenceError, match="it has times= or words="):
        parser.parse("greet swarm warmly x=1")


def test_a_new_row_says_what_is_missing() -> None:
    action = Parser(LATER).parse("greet one person Ann")
    assert action.unavailable == ("'greet one person' is not available: a voice",)
    assert "    Not available: a voice.\n" in help_text("greet", LATER)


def test_a_modifier_says_what_is_missing() -> None:
    loud = row("say", "it", modifiers=(Modifier("loudly", "", missing="a voice"),))
    parser = Parser([loud])
    assert parser.parse("say it").unavailable == ()
    assert parser.parse("say it loudly").unavailable == (
        "'loudly' is not available: a voice",
    )
    assert "loudly:  Not available: a voice." in help_text("say", [loud])


def test_synonyms_are_written_with_alternatives() -> None:
    say = row("say", "it", synonyms=("tell [us|them] it|this", "speak"))
    phrases = {" ".join(words) for words in say.phrases()}
    assert phrases == {
        "speak",
        "tell it",
        "tell them it",
        "tell them this",
        "tell this",
        "tell us it",
        "tell us this",
    }


def test_where_there_are_only_synonyms_they_are_what_was_expected() -> None:
    with pytest.raises(SentenceError) as caught:
        Parser([row("say", "it", synonyms=("tell it", "tell them"))]).parse("tell")
    assert caught.value.expected == ("it", "them")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row("say", "it"), row("say", "it")], "phrase 'say it' has two meanings"),
        (
            [row("say", "it"), row("say", "that", permission="other")],
            "first word 'say' stands for two permissions",
        ),
        (
            [
                row("say", "it", arguments=(Argument("x", "text", "", maximum=9),)),
                row("say", "twice", qualifier="it"),
            ],
            "'say it' has arguments and its phrase goes on",
        ),
        (
            [row("say", "it", modifiers=(Modifier("now", ""),))],
            "'now' has two meanings in 'say it'",
        ),
        (
            [
                row(
                    "say",
                    "it",
                    arguments=(
                        Argument("whom", "text", "", maximum=9, after="loudly"),
                    ),
                    modifiers=(Modifier("loudly", ""),),
                ),
            ],
            "'loudly' has two meanings in 'say it'",
        ),
    ],
)
def test_a_table_that_could_be_misread_is_refused(
    rows: list[Command], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Parser(rows)


def test_the_list_of_commands_is_json_with_every_row() -> None:
    listed = json.loads(describe_json())
    assert listed == describe()
    assert [item["name"] for item in listed] == [item.name for item in COMMANDS]
    found = {item["name"]: item for item in listed}
    run = found["run task"]
    assert run["permission"] == "run"
    assert run["verbSynonyms"] == ["execute", "start", "launch"]
    assert run["arguments"] == [
        {
            "name": "id",
            "kind": "task",
            "expects": "a task id",
            "maximum": 128,
            "optional": False,
            "after": "",
            "choices": [],
            "help": "The id of the task in tasks.md.",
        }
    ]
    assert run["modifiers"][0]["available"] is True
    assert run["available"] is True
    assert found["switch protocol"]["available"] is False
    assert "message bus" in found["switch protocol"]["missing"]
    assert found["scale up instances"]["arguments"][0]["minimum"] == 1
    assert found["merge branch"]["arguments"][1]["after"] == "into"
    assert found["test integration"]["arguments"][0]["choices"] == ["merge-conflicts"]
    since, to = found["retry failed messages"]["parameters"]
    assert (since["kind"], since["minimum"], to["kind"]) == ("duration", 1, "names")


def test_usage_shows_what_may_be_left_out() -> None:
    explain = row(
        "explain",
        "task",
        arguments=(Argument("id", "task", "", maximum=9, optional=True),),
        parameters=(Argument("depth", "integer", "", maximum=9),),
    )
    assert explain.usage == "explain task [ID] [depth=DEPTH]"


def test_help_has_a_line_for_every_sentence() -> None:
    lines = help_text().splitlines()
    assert len(lines) == len(COMMANDS)
    for line, command in zip(lines, COMMANDS):
        assert line.startswith(f"{command.usage}  ")
        assert command.help in line
        assert line.endswith("(not available)") is bool(command.missing)


def test_help_of_a_verb_shows_everything_about_it() -> None:
    page = help_text("execute")
    assert page == help_text("run") == help_text("Run")
    assert page.startswith("run task ID [beast-mode]\n")
    assert "    Examples:\n        run task 2.1\n        run task user-auth" in page
    assert "    Instead of 'run': execute, start or launch\n" in page
    assert "    Permission: run on kiroswarms\n" in page
    assert help_text("scale").count("Permission: scale on kiroswarms") == 4


def test_help_shows_other_phrases() -> None:
    page = help_text("stop")
    assert "    Also: stop everything\n" in page
    assert "          stop all [running|active] tasks|threads|processes" in page


@pytest.mark.parametrize(
    ("word", "usage"),
    [
        ("git", "sync upstream"),
        ("why", "explain task ID"),
        ("clean", "cleanup swarm"),
        ("add", "scale up instances COUNT"),
    ],
)
def test_help_finds_a_verb_by_the_first_word_of_any_phrase(
    word: str, usage: str
) -> None:
    assert help_text(word).startswith(f"{usage}\n")


def test_help_says_what_a_row_cannot_do_yet() -> None:
    page = help_text("switch")
    assert "    Not available: the message bus between instances" in page


def test_help_of_an_unknown_verb_is_an_error() -> None:
    with pytest.raises(KeyError, match="fly"):
        help_text("fly")
