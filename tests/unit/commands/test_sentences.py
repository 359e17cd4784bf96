"""Which sentence means which action: the language as a table."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from kiro_swarm.commands.action import Action, ActionResult
from kiro_swarm.commands.grammar import Grammar
from kiro_swarm.commands.parser import PARSER, Parser, parse
from kiro_swarm.commands.table import COMMANDS, VERB_SYNONYMS, Command
from tests.unit.commands.sentences import MEANINGS, ODD_VALUES, VARIATIONS

#: A value of each kind, to make a whole sentence of a phrase.
VALUES = {
    "branch": "feature/x",
    "choice": "",
    "command": "cmd-7",
    "instance": "demo-1",
    "integer": "3",
    "name": "backup",
    "swarm": "demo",
    "task": "2.1",
    "text": '"run task 1"',
}


@pytest.mark.parametrize("sentence", MEANINGS)
def test_the_canonical_sentence_means(sentence: str) -> None:
    name, permission, arguments, modifiers, parameters = MEANINGS[sentence]
    action = parse(sentence)
    assert action.command.name == name
    assert action.permission == permission
    assert action.arguments == arguments
    assert list(action.modifiers) == modifiers
    assert action.parameters == parameters
    assert action.normalized == sentence


@pytest.mark.parametrize("sentence", VARIATIONS)
def test_the_variation_means_the_same_as_its_canonical_sentence(sentence: str) -> None:
    assert parse(sentence) == parse(VARIATIONS[sentence])
    assert parse(sentence).normalized == VARIATIONS[sentence]
    assert VARIATIONS[sentence] in MEANINGS


@pytest.mark.parametrize("sentence", ODD_VALUES)
def test_a_value_is_kept_as_it_was_written(sentence: str) -> None:
    action = parse(sentence)
    assert action.normalized == ODD_VALUES[sentence]
    assert parse(action.normalized) == action


def test_every_row_has_a_canonical_sentence_in_this_table() -> None:
    tested = {meaning[0] for meaning in MEANINGS.values()}
    assert tested == {command.name for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_of_a_row_is_a_sentence_of_that_row(command: Command) -> None:
    assert command.examples
    assert {parse(text).command.name for text in command.examples} == {command.name}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_phrase_leads_to_its_row(command: Command) -> None:
    rest = "".join(
        f" {item.after} {VALUES[item.kind] or item.choices[0]}"
        for item in command.arguments
    )
    tail = command.name.split(" ", 1)[1]
    verbs = (command.verb, *VERB_SYNONYMS.get(command.verb, ()))
    phrases = [f"{verb} {tail}" for verb in verbs]
    phrases += [" ".join(words) for words in command.phrases()]
    for phrase in phrases:
        assert parse(phrase + rest).command is command


def test_the_rows_of_the_language_are_these() -> None:
    assert [command.usage for command in COMMANDS] == [
        "status swarm [detailed] [health]",
        "status task ID",
        "status instance NAME",
        "explain task ID",
        "diff task ID",
        "log task ID",
        "run task ID [beast-mode]",
        "stop task ID",
        "stop all tasks [graceful]",
        "pause task ID",
        "resume task ID",
        "assign task ID to NAME",
        "unassign task ID",
        "reassign tasks from INSTANCE",
        "cancel task ID",
        "cancel command NAME",
        "retry task ID",
        "retry failed tasks",
        "retry failed messages [since=SINCE] [to=TO]",
        "approve task ID",
        "reject task ID [reason=REASON]",
        "scale instances COUNT",
        "scale swarm [NAME] to COUNT",
        "scale up instances COUNT",
        "scale down instances COUNT",
        "stop instance NAME [graceful]",
        "restart instance NAME [graceful]",
        "pause swarm",
        "resume swarm",
        "pause instance NAME",
        "resume instance NAME",
        "cleanup swarm",
        "cancel rescue",
        "merge completed branches [conflict-resolve]",
        "merge branch BRANCH [into TARGET]",
        "resolve conflicts [auto]",
        "rollback integration BATCH",
        "sync upstream",
        "sync branch BRANCH",
        "switch protocol NAME",
        "test protocol parse SENTENCE",
        "test swarm launch [instances=INSTANCES] [tasks=TASKS] [timeout=TIMEOUT]",
        "test failure simulate KIND [recovery-time]",
        "test integration KIND [resolution-strategy]",
    ]


def test_the_permission_is_the_verb_but_for_what_only_looks_or_undoes() -> None:
    special = {
        (command.verb, command.permission)
        for command in COMMANDS
        if command.verb != command.permission
    }
    looks = {("status", "get"), ("explain", "get"), ("diff", "get"), ("log", "get")}
    assert special == {*looks, ("unassign", "assign")}


def test_the_action_on_the_wire_tells_scale_up_from_scale() -> None:
    assert parse("scale up instances 3").to_wire() == {
        "verb": "scale",
        "noun": "instances",
        "arguments": {"count": 3},
        "modifiers": ["up"],
        "parameters": {},
        "permission": "scale",
        "normalized": "scale up instances 3",
    }


def test_a_list_and_a_duration_on_the_wire_are_plain_json() -> None:
    wire = parse("retry failed messages since=10m to=a,b").to_wire()
    assert wire["parameters"] == {"since": 600, "to": ["a", "b"]}
    assert json.loads(json.dumps(wire)) == wire


def test_the_caller_adds_time_and_sender() -> None:
    action = parse("status")._replace(
        timestamp="2026-11-22T10:00:00.000000Z",
        source_instance="demo-1",
        correlation_id="c-1",
    )
    wire = action.to_wire()
    assert wire["timestamp"] == "2026-11-22T10:00:00.000000Z"
    assert wire["sourceInstance"] == "demo-1"
    assert wire["correlationId"] == "c-1"
    assert json.loads(json.dumps(wire)) == wire


def test_an_action_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        parse("status").modifiers = ("detailed",)  # type: ignore[misc]


def test_beast_mode_can_be_done() -> None:
    assert parse("run task 1 beast-mode").unavailable == ()


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("retry failed messages", "message bus"),
        ("switch protocol backup", "message bus"),
        ("rollback integration batch-5", "returning the integration branch"),
        ("test swarm launch instances=3 tasks=sample-spec", "test framework"),
        ("test integration merge-conflicts resolution-strategy", "test framework"),
    ],
)
def test_what_cannot_be_done_yet_says_exactly_what_is_missing(
    sentence: str, missing: str
) -> None:
    action = parse(sentence)
    (clause,) = action.unavailable
    assert clause.startswith(f"'{action.command.name}' is not available: ")
    assert missing in clause


def test_only_these_rows_cannot_be_done_yet() -> None:
    missing = {command.name for command in COMMANDS if not command.available}
    assert missing == {
        "retry failed messages",
        "switch protocol",
        "rollback integration",
        "test swarm launch",
        "test integration",
    }


def test_a_result_on_the_wire() -> None:
    result = ActionResult(
        success=True,
        message="3 instances wanted, 1 before",
        data={"before": 1},
        execution_time=timedelta(milliseconds=12),
        side_effects=("spec.instances of demo: 1 to 3",),
    )
    assert result.to_wire() == {
        "success": True,
        "message": "3 instances wanted, 1 before",
        "data": {"before": 1},
        "executionSeconds": 0.012,
        "sideEffects": ["spec.instances of demo: 1 to 3"],
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.success = False  # type: ignore[misc]


def test_the_parser_of_a_smaller_table_knows_only_its_rows() -> None:
    status = COMMANDS[0]
    action = Parser([status]).parse("show swarm")
    assert action == Action(status, {}, (), {})


def test_every_first_word_has_one_permission() -> None:
    grammar = Grammar(COMMANDS, VERB_SYNONYMS)
    assert grammar.permissions == PARSER.grammar.permissions
    first: dict[str, Any] = {
        word: {command.permission for command in node.commands}
        for word, node in grammar.root.following.items()
    }
    assert first == {word: {held} for word, held in grammar.permissions.items()}
