"""What may stand beside a sentence, asked of a real API server.

Whoever may only look creates SwarmCommands with any metadata: it fills no store and no memory,
and keeps nothing from being deleted. Called by pytest.
"""

from __future__ import annotations

import uuid
from typing import Any, AsyncIterator, Dict, Iterator

import pytest

from tests.cluster.chart import dump
from tests.cluster.kinds import command
from tests.cluster.people import Person, Town, crowd, town, wait_for_role
from tests.support.cluster import Cluster


@pytest.fixture(scope="module")
def here(api_server: Cluster) -> Iterator[Town]:
    """The chart's policy, effective, and people with its roles."""
    with town(api_server, "beside") as made:
        yield made


@pytest.fixture
async def persons(api_server: Cluster, here: Town) -> AsyncIterator[Dict[str, Person]]:
    async with crowd(api_server, ["viewer"]) as found:
        yield found


_MANIFEST = "kubectl.kubernetes.io/last-applied-configuration"
_OWNER = {
    "apiVersion": "swarm.kiro.dev/v1alpha1",
    "kind": "KiroSwarm",
    "name": "demo",
    "uid": "u",
}
_MANY = {f"x-{number}": "z" for number in range(17)}
_TOO_LARGE = (
    "metadata.annotations: may not be more than 16, nor one more than 1024 bytes"
)


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ({"annotations": {"x": "z" * 250_000}}, _TOO_LARGE),
        ({"annotations": {"x": "z" * 1025}}, _TOO_LARGE),
        ({"annotations": {"x": "\u00e4" * 513}}, _TOO_LARGE),
        ({"annotations": _MANY}, _TOO_LARGE),
        ({"annotations": {_MANIFEST: "z" * 32_769}}, _TOO_LARGE),
        ({"labels": _MANY}, "metadata.labels: may not be more than 16"),
        ({"finalizers": ["evil.example.org/forever"]}, "only who may patch"),
        ({"ownerReferences": [_OWNER]}, "only who may patch"),
        ({"annotations": {"x": "z" * 1024, _MANIFEST: "z" * 32_768}}, ""),
        ({"annotations": dict(list(_MANY.items())[1:])}, ""),
        ({"labels": dict(list(_MANY.items())[1:])}, ""),
    ],
    ids=lambda value: str(value)[:32],
)
async def test_what_stands_beside_a_sentence_is_bounded(
    persons: Dict[str, Person], here: Town, beside: Dict[str, object], words: str
) -> None:
    refused = await persons["viewer"].refusal(
        here.home, "demo", "status swarm", beside, requestedBy="viewer"
    )
    assert (refused is None) == (not words), refused
    assert words in str(refused)


async def test_a_sentence_at_every_bound_is_admitted_and_one_larger_is_not(
    api_server: Cluster, here: Town
) -> None:
    """The policy asks the authorizer and looks at all annotations: that has a price as well."""
    name = "a" * 512
    for role in ("--role=write", "--clusterrole=beside-admin"):
        api_server.kubectl(
            *("create", "rolebinding", f"long-{role[2:6]}", "-n", here.home),
            *(role, f"--user={name}"),
        )
    wait_for_role(api_server, here.home, name, "merge")
    spec: Dict[str, Any] = {
        "requestedBy": name,
        "correlationId": "a" * 128,
        "dryRun": True,
        "timeoutSeconds": 86_400,
        "ttlSecondsAfterFinished": 31_536_000,
    }
    notes = {f"{'d' * 253}/x-{number}": "z" * 1024 for number in range(15)}
    beside = {
        "name": "a" * 253,
        "annotations": {**notes, _MANIFEST: "z" * 32_768},
        "labels": {f"{'d' * 253}/x-{number}": "z" * 63 for number in range(16)},
    }
    words = "stop everything " + "x" * 4080
    async with crowd(api_server, [name]) as found:
        person = found[name]
        assert await person.refusal(here.home, "d" * 63, words, beside, **spec) is None
        for field, value in {
            "swarm": "d" * 64,
            "command": words + "x",
            "correlationId": "a" * 129,
            "timeoutSeconds": 86_401,
            "ttlSecondsAfterFinished": 31_536_001,
            "requestedBy": name + "a",
        }.items():
            larger = {"swarm": "d" * 63, "command": words, **spec, field: value}
            refused = await person.refusal(here.home, "", "", beside, **larger)
            assert f"spec.{field}" in str(refused)


def test_who_may_patch_commands_may_write_their_finalizers(
    api_server: Cluster, here: Town
) -> None:
    """Hooks of Argo CD have one."""
    item = command("status swarm", f"hook-{uuid.uuid4().hex[:8]}")
    item["metadata"]["finalizers"] = ["argocd.argoproj.io/hook-finalizer"]
    api_server.kubectl(
        *("create", "--dry-run=server", "-n", here.home, "-f", "-"), input=dump(item)
    )
