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


LATER = (
    row(
        "test",
        "launch",
        qualifier="swarm",
        parameters=(
            Argument("instances", "integer", "How many.", maximum=9),
            Argument("tasks", "text", "Which spec.", maximum=99),
        ),
    ),
    row(
        "test",
        "parse",
        qualifier="protocol",
        arguments=(Argument("sentence", "text", "A sentence.", maximum=999),),
    ),
    row(
        "merge",
        "branches",
        qualifier="completed",
        modifiers=(Modifier("conflict-resolve", ""), Modifier("conflict-keep", "")),
    ),
)


@pytest.mark.parametrize(
    ("text", "arguments", "modifiers", "parameters"),
    [
        (
            "test swarm launch tasks=sample-spec instances=3",
            {},
            ("swarm",),
            {"instances": 3, "tasks": "sample-spec"},
        ),
        (
            'test protocol parse "run task abc beast mode"',
            {"sentence": "run task abc beast mode"},
            ("protocol",),
            {},
        ),
        (
            'test protocol parse "say \\"hi\\" \\\\ bye"',
            {"sentence": 'say "hi" \\ bye'},
            ("protocol",),
            {},
        ),
        (
            "merge completed branches conflict keep conflict resolve",
            {},
            ("completed", "conflict-resolve", "conflict-keep"),
            {},
        ),
        ("status swarm", {}, (), {}),
    ],
)
def test_a_sentence_of_the_later_language_is_one_row(
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


def test_the_later_rows_teach_too() -> None:
    parser = Parser((*COMMANDS, *LATER))
    with pytest.raises(SentenceError, match="expected swarm or protocol"):
        parser.parse("test")
    with pytest.raises(SentenceError) as caught:
        parser.parse("test swarm launch now now instances")
    assert caught.value.expected == (
        "instances=",
        "tasks=",
        "the end of the sentence",
    )
    with pytest.raises(SentenceError, match="sentence has at most 999 characters"):
        parser.parse("test protocol parse " + "x" * 1000)
    with pytest.raises(SentenceError, match="it has instances= or tasks="):
        parser.parse("test swarm launch x=1")


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
    assert [item["usage"] for item in listed] == [
        "status swarm [detailed]",
        "scale instances COUNT",
        "scale up instances COUNT",
        "scale down instances COUNT",
        "run task ID [beast-mode]",
        "stop instance NAME [graceful]",
    ]
    run = listed[4]
    assert run["permission"] == "run"
    assert run["verbSynonyms"] == ["execute", "start", "launch"]
    assert run["arguments"] == [
        {
            "name": "id",
            "kind": "task",
            "maximum": 128,
            "optional": False,
            "help": "The id of the task in tasks.md.",
        }
    ]
    assert run["modifiers"][0]["available"] is False
    assert listed[2]["arguments"][0]["minimum"] == 1


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
    assert lines[0] == "status swarm [detailed]        Say how the swarm is doing."


def test_help_of_a_verb_shows_examples_and_what_is_missing() -> None:
    page = help_text("execute")
    assert page.startswith("run task ID [beast-mode]\n")
    assert "Example: run task user-auth beast-mode" in page
    assert "Not available in this version." in page
    assert page == help_text("run")
    assert help_text("scale").count("Permission: scale on kiroswarms") == 3


def test_help_of_an_unknown_verb_is_an_error() -> None:
    with pytest.raises(KeyError, match="fly"):
        help_text("fly")
