"""The admission policy: it knows the parser's words, and both read the first word alike.

What the API server makes of it is asked in tests/cluster/test_who_may_say_what.py.
"""

from __future__ import annotations

import json
import string
import sys
from typing import Any, Dict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiro_swarm.commands.admission import binding, policy, policy_name
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import Parser, parse
from kiro_swarm.commands.roles import ROLES
from kiro_swarm.commands.table import COMMANDS

PERMISSIONS = Parser().grammar.permissions
POLICY = policy(PERMISSIONS, "kiro-swarm")
VARIABLES: Dict[str, str] = {
    item["name"]: item["expression"] for item in POLICY["variables"]
}


def permission_at_admission(sentence: str) -> str:
    """The policy's variables ``words``, ``said`` and ``permission``, in Python.

    CEL's lowerAscii() changes A-Z and nothing else; bytes do the same here.
    """
    words = [word for word in sentence.split(" ") if word != ""]
    said = words[0] if words else ""
    lowered = said.encode("utf-8", "surrogatepass").lower()
    known: Dict[str, str] = json.loads(VARIABLES["permissions"])
    return known.get(lowered.decode("utf-8", "surrogatepass"), "")


def test_the_policy_knows_every_first_word_of_the_parser() -> None:
    assert json.loads(VARIABLES["permissions"]) == PERMISSIONS
    assert {command.verb for command in COMMANDS} <= set(PERMISSIONS)


def test_the_words_can_be_compared_without_case() -> None:
    plain = set(string.ascii_lowercase + string.digits + "-")
    assert all(set(word) <= plain for word in PERMISSIONS)


def test_a_denial_can_name_a_role_for_every_permission() -> None:
    roles = json.loads(VARIABLES["roles"])
    assert set(roles) == set(PERMISSIONS.values())
    assert all(name in ROLES[role] for name, role in roles.items())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda item: item.name)
def test_every_example_needs_its_permission_at_admission(command: Any) -> None:
    for sentence in command.examples:
        assert permission_at_admission(sentence) == command.permission


#: Characters that some ways of ignoring case take for ASCII letters, and odd spaces.
_LOOKALIKES = [
    "\u212a",
    "\u017f",
    "\u0130",
    "\u0131",
    "\uff53",
    "\u00a0",
    "\u3000",
    "\t",
]
_SENTENCES = [example for command in COMMANDS for example in command.examples]


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """An example with other case, more spaces and some characters exchanged."""
    text = draw(st.sampled_from(_SENTENCES))
    changed = [
        (
            draw(st.sampled_from([letter, letter, letter.upper(), *_LOOKALIKES]))
            if draw(st.integers(0, 5)) == 0
            else letter
        )
        for letter in text
    ]
    before = draw(st.sampled_from(["", " ", "  ", '"', "the ", "please ", "\u200b"]))
    return before + "".join(changed)


@given(st.one_of(disguised(), st.text()))
@example("rollbac\u212a integration batch-5")
@example("\u017ftop everything")
@example("STOP all tasks")
@example("  status swarm")
@example('"stop" all tasks')
def test_what_the_parser_understands_was_checked_at_admission(sentence: str) -> None:
    """Else a sentence could be carried out that nobody was allowed to say."""
    try:
        action = parse(sentence)
    except SentenceError:
        return
    assert permission_at_admission(sentence) == action.permission


def test_a_letter_that_only_looks_alike_makes_another_word() -> None:
    # Every character that some way of ignoring case takes for an ASCII letter.
    folded = [
        (char, letter)
        for char in map(chr, range(128, sys.maxunicode + 1))
        for letter in {char.lower(), char.upper().lower(), char.casefold()}
        if letter in string.ascii_lowercase
    ]
    assert ("\u212a", "k") in folded
    assert ("\u017f", "s") in folded
    tried = 0
    for sentence in _SENTENCES:
        first, _, rest = sentence.partition(" ")
        for char, letter in folded:
            disguise = f"{first.replace(letter, char)} {rest}"
            if letter in first:
                tried += 1
                assert permission_at_admission(disguise) == ""
                with pytest.raises(SentenceError):
                    parse(disguise)
    assert tried > len(PERMISSIONS) / 2


def test_the_policy_fails_closed_and_denies() -> None:
    assert POLICY["failurePolicy"] == "Fail"
    assert binding("x") == {
        "policyName": policy_name("x"),
        "validationActions": ["Deny"],
    }


def test_it_is_about_the_creation_of_commands_alone() -> None:
    (rule,) = POLICY["matchConstraints"]["resourceRules"]
    assert rule == {
        "apiGroups": ["swarm.kiro.dev"],
        "apiVersions": ["v1alpha1"],
        "operations": ["CREATE"],
        "resources": ["swarmcommands"],
    }


def refuses(part: str) -> str:
    """The expression of the rule whose message begins like this."""
    (found,) = [
        item["expression"]
        for item in POLICY["validations"]
        if item["message"].startswith(part)
    ]
    return found


def test_what_stands_beside_a_sentence_is_bounded() -> None:
    """A viewer's 1,700 commands with 250 KiB of annotations each ended the operator."""
    assert VARIABLES["notes"] == "object.metadata.?annotations.orValue({})"
    assert "variables.notes.size() <= 16" in refuses("metadata.annotations")
    assert "? 32768 : 1024)" in refuses("metadata.annotations")
    assert refuses("metadata.labels").endswith("size() <= 16")
    free = refuses("metadata.finalizers, metadata.ownerReferences")
    assert "!has(object.metadata.finalizers)" in free
    assert "!has(object.metadata.ownerReferences)" in free


def test_every_refusal_says_something() -> None:
    for validation in POLICY["validations"]:
        assert validation["message"]
        assert "\n" not in validation["message"]


def test_the_settings_of_the_chart_reach_the_expressions() -> None:
    strict = policy(PERMISSIONS, "mine", "true", "false")
    texts = json.dumps(strict["validations"])
    assert "!true || variables.requester" in texts
    assert "(false ? '; the ClusterRole mine-'" in texts
