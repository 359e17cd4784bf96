"""Which sentence means which action: the language as a table."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from kiro_swarm.commands.action import Action, ActionResult
from kiro_swarm.commands.parser import Parser, parse
from kiro_swarm.commands.table import COMMANDS, VERB_SYNONYMS

UNDERSTOOD: list[tuple[str, str, dict[str, Any], list[str]]] = [
    # sentence, normalized, arguments, modifiers
    ("status swarm", "status swarm", {}, []),
    ("status swarm detailed", "status swarm detailed", {}, ["detailed"]),
    ("status", "status swarm", {}, []),
    ("swarm status", "status swarm", {}, []),
    ("show swarm", "status swarm", {}, []),
    ("Show me the swarm status", "status swarm", {}, []),
    ("show the status of the swarm", "status swarm", {}, []),
    ("status of my swarm in detail please", "status swarm detailed", {}, ["detailed"]),
    ("get swarm details", "status swarm detailed", {}, ["detailed"]),
    ("scale instances 5", "scale instances 5", {"count": 5}, []),
    ("scale instances to 0", "scale instances 0", {"count": 0}, []),
    ("scale instances 1000", "scale instances 1000", {"count": 1000}, []),
    ("scale instances 007", "scale instances 7", {"count": 7}, []),
    ("scale instances count=5", "scale instances 5", {"count": 5}, []),
    ("scale the swarm to 5 now", "scale instances 5", {"count": 5}, []),
    ("resize instances 5", "scale instances 5", {"count": 5}, []),
    ("scale up instances 3", "scale up instances 3", {"count": 3}, ["up"]),
    ("SCALE UP the instances BY 3", "scale up instances 3", {"count": 3}, ["up"]),
    ("scale down instances by 2", "scale down instances 2", {"count": 2}, ["down"]),
    ("run task 2.1", "run task 2.1", {"id": "2.1"}, []),
    ("run task 2.1\n", "run task 2.1", {"id": "2.1"}, []),
    ("  run   task  2.1 ", "run task 2.1", {"id": "2.1"}, []),
    ('run task "2.1"', "run task 2.1", {"id": "2.1"}, []),
    ('run task id="2.1"', "run task 2.1", {"id": "2.1"}, []),
    ("run task PWA-2", "run task PWA-2", {"id": "PWA-2"}, []),
    ("run the task a", "run task a", {"id": "a"}, []),
    ("run task to", "run task to", {"id": "to"}, []),
    ("run task in", 'run task "in"', {"id": "in"}, []),
    ("run task now now", 'run task "now"', {"id": "now"}, []),
    ('run task "beast-mode"', 'run task "beast-mode"', {"id": "beast-mode"}, []),
    ("run task beast", 'run task "beast"', {"id": "beast"}, []),
    ("run task status", "run task status", {"id": "status"}, []),
    ("start task x", "run task x", {"id": "x"}, []),
    (
        "run task abc beast mode",
        "run task abc beast-mode",
        {"id": "abc"},
        ["beast-mode"],
    ),
    (
        "execute task abc in beast mode",
        "run task abc beast-mode",
        {"id": "abc"},
        ["beast-mode"],
    ),
    (
        "run task in Beast Mode id=Abc",
        "run task Abc beast-mode",
        {"id": "Abc"},
        ["beast-mode"],
    ),
    ("stop instance kiro-3", "stop instance kiro-3", {"name": "kiro-3"}, []),
    (
        "stop instance kiro-3 graceful",
        "stop instance kiro-3 graceful",
        {"name": "kiro-3"},
        ["graceful"],
    ),
    (
        "stop instance graceful kiro-3",
        "stop instance kiro-3 graceful",
        {"name": "kiro-3"},
        ["graceful"],
    ),
    (
        "halt the instance kiro-3 gracefully graceful",
        "stop instance kiro-3 graceful",
        {"name": "kiro-3"},
        ["graceful"],
    ),
]


@pytest.mark.parametrize(
    ("text", "normalized", "arguments", "modifiers"),
    UNDERSTOOD,
    ids=[row[0].strip() for row in UNDERSTOOD],
)
def test_the_sentence_means(
    text: str, normalized: str, arguments: dict[str, Any], modifiers: list[str]
) -> None:
    action = parse(text)
    assert action.normalized == normalized
    assert action.arguments == arguments
    assert list(action.modifiers) == modifiers
    assert action.parameters == {}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_of_a_row_is_a_sentence_of_that_row(command: Any) -> None:
    assert [parse(text).command for text in command.examples] == [command] * len(
        command.examples
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_synonym_means_its_row(command: Any) -> None:
    values = {"integer": "3", "name": "demo-1", "task": "2.1"}
    rest = "".join(" " + values[item.kind] for item in command.arguments)
    tail = command.name.split(" ", 1)[1]
    verbs = [f"{verb} {tail}" for verb in VERB_SYNONYMS[command.verb]]
    for phrase in (*command.synonyms, *verbs):
        assert parse(phrase + rest).command is command


def test_the_action_on_the_wire_tells_scale_up_from_scale() -> None:
    action = parse("scale up instances 3")
    assert action.to_wire() == {
        "verb": "scale",
        "noun": "instances",
        "arguments": {"count": 3},
        "modifiers": ["up"],
        "parameters": {},
        "permission": "scale",
        "normalized": "scale up instances 3",
    }


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


def test_beast_mode_is_understood_and_marked_as_not_available() -> None:
    assert parse("run task 1 beast-mode").unavailable == ("beast-mode",)
    assert parse("run task 1").unavailable == ()
    assert parse("stop instance demo-1 graceful").unavailable == ()


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
