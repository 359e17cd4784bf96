"""Of a spec that is partly of another release, the rest is read."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.api.readable import readable
from tests.unit.reconcile.surroundings import swarm_spec

URL = "https://git.example.com/shop.git"


def swarm(spec: Any, **status: Any) -> Any:
    return {"metadata": {"name": "demo"}, "spec": spec, "status": status}


def spec_with(**changes: Any) -> Any:
    spec = swarm_spec(repository={"url": URL, "credentialsSecret": {"name": "key"}})
    return {**spec, **changes}


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        ({}, []),
        ({"of_tomorrow": {"a": [1]}}, ["spec.of_tomorrow"]),
        ({"instances": "many"}, ["spec.instances"]),
        ({"instances": -1, "suspend": "?"}, ["spec.instances", "spec.suspend"]),
        ({"tasks": {"from": "elsewhere"}}, ["spec.tasks.from"]),
        ({"tasks": 7}, ["spec.tasks", "spec.tasks"]),
        ({"template": {}}, ["spec.template", "spec.template"]),
        ({"template": {"agent": {"command": []}}}, ["spec.template.agent.command"]),
        ({"integration": {"onDelete": "Keep"}}, ["spec.integration.onDelete"]),
        ({"integration": {"gates": [{"name": "x"}]}}, ["spec.integration.gates.0"]),
        ({"integration": []}, ["spec.integration"]),
        ({"verification": {"timeoutSeconds": 5}}, ["spec.verification"]),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_named_and_the_rest_is_read(
    changes: Any, unread: list[str]
) -> None:
    found = readable(swarm(spec_with(**changes)))
    assert found.spec is not None
    assert found.spec.repository.url == URL
    assert found.spec.repository.credentials_secret is not None
    assert set(unread) <= set(found.unread)


@pytest.mark.parametrize("spec", [None, {}, [], {"repository": {}}, 5, "x"], ids=str)
def test_without_a_repository_there_is_nothing_to_go_by(spec: Any) -> None:
    found = readable(swarm(spec))
    assert found.spec is None
    assert found.unread


@pytest.mark.parametrize(
    ("said", "wanted"), [("team/x", "team/x"), ("", None)], ids=["said", "unsaid"]
)
def test_a_branch_that_cannot_be_read_is_as_observed(
    said: str, wanted: Optional[str]
) -> None:
    spec = spec_with(integration={"branch": "Not A Branch"})
    found = readable(swarm(spec, integration={"branch": said}))
    assert found.spec is not None
    assert found.spec.integration.branch == wanted
    assert found.unread == ["spec.integration.branch"]
