"""``kiro-swarm command``: the language without a cluster, for people and pipelines."""

from __future__ import annotations

import json
from typing import Callable, NamedTuple

import pytest

from kiro_swarm.cli.command import command
from kiro_swarm.commands.help import describe, help_text
from tests.unit.commands.sentences import MEANINGS


class Said(NamedTuple):
    """What a command line came to."""

    exit_code: object
    stdout: str
    stderr: str


Say = Callable[..., Said]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            command.main(list(arguments))
        return Said(ended.value.code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("sentence", MEANINGS)
def test_a_sentence_as_json_has_these_fields(sentence: str, said: Say) -> None:
    done = said("parse", sentence, "--output", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    action = json.loads(done.stdout)
    assert list(action) == [
        *("verb", "noun", "arguments", "modifiers", "parameters"),
        *("permission", "normalized"),
    ]
    name, permission, _, modifiers, _ = MEANINGS[sentence]
    assert name.startswith(action["verb"])
    assert action["noun"] in name.split()
    assert action["permission"] == permission
    assert action["modifiers"] == modifiers
    assert action["normalized"] == sentence


def test_values_as_json(said: Say) -> None:
    done = said("parse", "retry all failed messages since=10m to=a,b", "-o", "json")
    assert json.loads(done.stdout)["parameters"] == {"since": 600, "to": ["a", "b"]}


def test_an_error_as_json_is_on_standard_error(said: Say) -> None:
    done = said("parse", "sclae swarm demo to 3", "--output", "json")
    assert (done.exit_code, done.stdout) == (2, "")
    error = json.loads(done.stderr)
    assert error["position"] == 1
    assert error["message"].endswith("did you mean 'scale'?")
    assert "scale" in error["expected"]
    assert error["expectation"].startswith("status, explain, ")
    assert error["suggestions"] == ["scale swarm demo to 3"]


def test_a_sentence_for_people(said: Say) -> None:
    done = said("parse", "execute task abc in beast mode")
    assert done.exit_code == 0
    assert done.stdout == ("run task abc beast-mode  (needs the permission 'run')\n")


def test_people_are_told_what_is_missing(said: Say) -> None:
    done = said("parse", "switch protocol backup")
    assert done.exit_code == 0
    assert "\n'switch protocol' is not available: the message bus" in done.stdout


def test_an_error_for_people(said: Say) -> None:
    done = said("parse", "scale 5")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: unknown word '5' at column 7; expected instances, swarm, up or down",
        "  did you mean: scale instances 5",
        "  did you mean: scale swarm to 5",
    ]


def test_the_list(said: Say) -> None:
    assert json.loads(said("list", "--output", "json").stdout) == describe()
    assert said("list").stdout == help_text()


def test_the_help_of_a_verb(said: Say) -> None:
    assert said("help", "run").stdout == help_text("run")
    assert said("help", "git").stdout == help_text("git")
    done = said("help", "fly")
    assert done.exit_code == 2
    assert "no sentence begins with 'fly'" in done.stderr
