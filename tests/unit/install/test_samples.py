"""The samples are what they say: every kind, every task source, sentences that are sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from kiro_swarm.api.command import SwarmCommandSpec
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.commands.parser import parse as parse_sentence
from kiro_swarm.commands.roles import ROLES
from kiro_swarm.tasks.file.parser import parse as parse_tasks
from kiro_swarm.workspace.credentials import Credentials, access
from tests.support.shapes import valid
from tests.unit.install.files import SAMPLES, documents

FILES = sorted(SAMPLES.glob("*"))
OBJECTS: List[Tuple[str, Dict[str, Any]]] = [
    (path.name, item) for path in FILES for item in documents(path)
]
SWARMS = [item for _, item in OBJECTS if item["kind"] == "KiroSwarm"]


def named(kind: str, name: str) -> Dict[str, Any]:
    (found,) = (
        item
        for _, item in OBJECTS
        if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_sample_begins_with_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_every_task_source_has_a_sample() -> None:
    sources = {
        source for swarm in SWARMS for source in swarm["spec"]["tasks"] if source
    }
    assert sources == {"specPath", "inline", "configMap"}


def test_both_access_modes_have_a_sample() -> None:
    modes = {
        KiroSwarmSpec.model_validate(swarm["spec"]).storage.access_mode
        for swarm in SWARMS
    }
    assert modes == {"ReadWriteOnce", "ReadWriteMany"}


@pytest.mark.parametrize("swarm", SWARMS, ids=lambda item: item["metadata"]["name"])
def test_a_swarm_passes_the_models(swarm: Dict[str, Any]) -> None:
    spec = KiroSwarmSpec.model_validate(swarm["spec"])
    assert spec.template.agent.command == ["kiro-swarm", "scripted-agent"]


def test_the_task_lists_have_no_problem() -> None:
    inline = named("KiroSwarm", "notes")["spec"]["tasks"]["inline"]
    mapped = named("ConfigMap", "upgrade-tasks")["data"]["tasks.md"]
    for text, ids in ((inline, ["1", "1.1", "1.2", "2"]), (mapped, ["1", "2"])):
        parsed = parse_tasks(text)
        assert parsed.diagnostics == ()
        assert [task.id for task in parsed.tasks] == ids


def test_the_config_map_that_a_swarm_names_is_in_its_file() -> None:
    reference = named("KiroSwarm", "upgrade")["spec"]["tasks"]["configMap"]
    assert "tasks.md" in named("ConfigMap", reference["name"])["data"]


def test_commands_are_sentences_to_a_swarm_that_is_a_sample() -> None:
    commands = [item for _, item in OBJECTS if item["kind"] == "SwarmCommand"]
    assert commands
    for command in commands:
        spec = valid(SwarmCommandSpec, command["spec"])
        assert parse_sentence(spec["command"]).command.name == "status swarm"
        assert named("KiroSwarm", spec["swarm"])


def test_the_roles_of_the_sample_are_those_of_the_chart() -> None:
    reference = named("RoleBinding", "release-managers-integrate")["roleRef"]
    assert reference["name"] in {f"kiro-swarm-{role}" for role in ROLES}
    one, *_ = named("Role", "operate-shop")["rules"]
    assert one["verbs"] == list(ROLES["operator"])
    assert [named("KiroSwarm", name) for name in one["resourceNames"]]


@pytest.mark.parametrize("name", ["shop", "upgrade"])
def test_the_credentials_have_the_keys_that_their_repository_needs(
    name: str, tmp_path: Path
) -> None:
    repository = named("KiroSwarm", name)["spec"]["repository"]
    secret = named("Secret", repository["credentialsSecret"]["name"])
    for key, value in secret["stringData"].items():
        (tmp_path / key).write_text(value)
    with access(repository["url"], Credentials(tmp_path)) as environment:
        assert {"GIT_ASKPASS", "GIT_SSH_COMMAND"} & set(environment)
