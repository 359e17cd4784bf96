"""What is offered after the words typed so far: words that parse, and kinds of names."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.commands.completion import LIVE_KINDS, Candidate, complete
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import PARSER, parse
from kiro_swarm.commands.table import COMMANDS
from tests.unit.commands.sentences import MEANINGS

VERBS = list(dict.fromkeys(command.verb for command in COMMANDS))


def offered(line: str) -> list[str]:
    """Texts that may stand at the end of the line; a kind as ``<kind>``."""
    *words, fragment = line.split(" ")
    return [item.text or f"<{item.kind}>" for item in complete(words, fragment)]


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("", VERBS),
        ("s", ["status", "stop", "scale", "sync", "switch"]),
        ("St", ["status", "stop"]),
        ("ki", ["kill"]),
        ("fly", []),
        ("fly ", []),
        ("fly task ", []),
        ("run ", ["task"]),
        ("execute ", ["task"]),
        ("RUN Task ", ["<task>"]),
        ("run task 2", ["<task>"]),
        ("run task 2.1 ", ["beast-mode"]),
        ("run task 2.1 in ", ["beast-mode"]),
        ("run task 2.1 be", ["beast-mode"]),
        ("run task 2.1 beast mode ", []),
        ("run task 2.1 2.2 ", []),
        ("run task id=2.1 ", ["beast-mode"]),
        ("run the task ", ["<task>"]),
        ("show me the ", ["swarm", "task", "instance", "detailed", "health"]),
        ("show me the swarm ", ["detailed", "health"]),
        ("show me the swarm health ", ["detailed"]),
        ("status ", ["swarm", "task", "instance", "detailed", "health"]),
        ("stop ", ["task", "all", "instance"]),
        ("stop instance ", ["<instance>"]),
        ("stop instance demo-1 g", ["graceful"]),
        ("halt all ", ["tasks"]),
        ("halt all act", ["active"]),
        ("halt all active processes ", ["graceful"]),
        ("cancel ", ["task", "command", "rescue"]),
        ("cancel command ", ["<command>"]),
        ("assign task ", ["<task>"]),
        ("assign task T9 ", ["to"]),
        ("assign task T9 to ", ["<instance>"]),
        ("assign task T9 to instance ", ["<instance>"]),
        ("assign task T9 to demo-1 ", []),
        ("assign task to demo-1 ", ["<task>"]),
        ("reassign tasks ", ["from"]),
        ("reassign tasks from ", ["<instance>"]),
        ("merge branch ", ["<branch>"]),
        ("merge branch t1 ", ["into"]),
        ("merge branch t1 into ", ["<branch>"]),
        ("merge branch t1 into main ", []),
        ("scale ", ["instances", "swarm", "up", "down"]),
        ("scale swarm ", ["to"]),
        ("scale swarm demo ", ["to"]),
        ("scale swarm demo to ", []),
        ("reject task 2.1 ", ["reason="]),
        ("reject task 2.1 re", ["reason="]),
        ("reject task 2.1 reason=x ", []),
        ("retry failed messages since=1m ", ["to="]),
        ("test failure simulate ", ["instance-crash"]),
        ("test failure simulate instance-crash ", ["recovery-time"]),
        ("what ", ["is", "blocks"]),
        ("clean ", ["up", "swarm"]),
    ],
)
def test_after_these_words_may_follow(line: str, texts: list[str]) -> None:
    assert offered(line) == texts


def test_a_word_of_the_shell_may_have_spaces() -> None:
    words = ["reject", "task", "2.1", "because", "no tests at all"]
    assert complete(words, "") == []


def test_a_candidate_says_what_it_is_for() -> None:
    (task,) = complete(["run", "task"], "")
    assert task == Candidate("", "The id of the task in tasks.md.", "task")
    verbs = {item.text: item.help for item in complete([], "")}
    assert verbs["status"] == "swarm, task or instance"
    assert verbs["run"].startswith("Put a task at the front of the queue")
    assert verbs["switch"].startswith("(not available) ")
    assert all(verbs.values())


@pytest.mark.parametrize("sentence", MEANINGS)
def test_a_sentence_can_be_typed_by_taking_what_is_offered(sentence: str) -> None:
    """At each word something is offered that it is, or a value is wanted."""
    action = parse(sentence)
    words = shlex.split(sentence)
    names = [*action.arguments.values(), *action.parameters.values()]
    values = {str(name) for name in names} | {words[-1]}
    for index, word in enumerate(words):
        found = complete(words[:index], "")
        texts = [item.text for item in found]
        key = word.partition("=")[0] + "="
        kinds = [item.kind for item in found if item.kind]
        assert word in texts or key in texts or kinds or word in values


@given(
    st.lists(
        st.sampled_from(sorted(PARSER.grammar.words | {"2.1", "x=", "id=1", "K", ""}))
        | st.text(max_size=5),
        max_size=6,
    ),
    st.text(max_size=5),
)
def test_any_words_give_candidates_that_go_on(words: list[str], fragment: str) -> None:
    for text, help_text, kind in complete(words, fragment):
        assert bool(text) != bool(kind)
        assert help_text
        assert kind in {"", *LIVE_KINDS}


@pytest.mark.parametrize("sentence", MEANINGS)
def test_an_offered_modifier_makes_a_sentence(sentence: str) -> None:
    for text, _, _ in complete(shlex.split(sentence), ""):
        value = {"into": " main", "since=": "10m", "timeout=": "10m"}.get(text, "")
        value = value or ("demo" if text.endswith("=") else "")
        try:
            parse(f"{sentence} {text}{value}")
        except SentenceError:
            # Only a fixed word that begins a longer phrase cannot stand at the end.
            assert sentence == "status swarm"
