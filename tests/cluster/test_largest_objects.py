"""Objects at every bound of their schema at once, on a real API server.

It takes them: no rule of the CRDs costs more than it allows, whatever people and agents write.
What is one larger it refuses, and names each field.
"""

from __future__ import annotations

import copy
import json
import subprocess
from typing import Any, Dict, Iterator, List

import pytest

from kiro_swarm.api.crd import all_crds
from tests.cluster.chart import dump, install_crds, namespace
from tests.cluster.kinds import command, instance, swarm, task
from tests.support.bounds import largest, too_large, too_many
from tests.support.cluster import Cluster

#: Kind -> the smallest object of it.
SMALL: Dict[str, Any] = {
    "SwarmCommand": command("status swarm"),
    "KiroTask": task("demo.1"),
    "KiroInstance": instance(),
    "KiroSwarm": swarm(),
}
#: What excludes something else, or is not there yet.
WITHOUT = (
    *(
        ".spec.tasks.specPath",
        ".spec.tasks.configMap",
        ".spec.repository.caBundle.secret",
    ),
    *(".spec.communication", ".spec.autoscaling", ".spec.featureFlags"),
    ".spec.deploymentTargets",
)
SCHEMAS: Dict[str, Any] = {
    item["spec"]["names"]["kind"]: item["spec"]["versions"][0]["schema"][
        "openAPIV3Schema"
    ]
    for item in all_crds()
}
PARTS = ("spec", "status")


@pytest.fixture(scope="module")
def team(api_server: Cluster) -> Iterator[str]:
    install_crds(api_server)
    with namespace(api_server, "bounds") as name:
        api_server.kubectl("create", "-n", name, "-f", "-", input=dump(*SMALL.values()))
        yield name


def at_the_bounds(kind: str, part: str) -> Any:
    schema = SCHEMAS[kind]["properties"][part]
    # All texts of a swarm's lists are 14 MB: the API server reads 3.
    return largest(
        schema, f".{part}", WITHOUT, once=(kind, part) == ("KiroSwarm", "spec")
    )


def written(
    api_server: Cluster, team: str, kind: str, part: str, value: Any
) -> subprocess.CompletedProcess[str]:
    """Write a part of an object; nothing is stored."""
    item = copy.deepcopy(SMALL[kind])
    item[part] = value
    verb = ["create"] if part == "spec" else ["replace", "--subresource=status"]
    if part == "spec":
        item["metadata"]["name"] = "other"
    return api_server.kubectl(
        *(*verb, "-n", team, "--dry-run=server", "--validate=false"),
        *("-o", "json", "-f", "-"),
        input=json.dumps(item, ensure_ascii=False),
        check=False,
    )


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", SMALL)
def test_what_is_at_every_bound_is_taken_as_it_is(
    api_server: Cluster, team: str, kind: str, part: str
) -> None:
    value = at_the_bounds(kind, part)
    done = written(api_server, team, kind, part, value)
    assert done.returncode == 0, done.stderr[:2000]
    assert json.loads(done.stdout)[part] == value


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", SMALL)
def test_what_is_one_larger_is_refused_by_the_name_of_its_field(
    api_server: Cluster, team: str, kind: str, part: str
) -> None:
    schema, value = SCHEMAS[kind]["properties"][part], at_the_bounds(kind, part)
    larger, fields = too_large(schema, value, part)
    said = written(api_server, team, kind, part, larger)
    assert said.returncode != 0
    assert unnamed(fields, said.stderr) == []
    assert len(fields) > 2
    lists = list(too_many(schema, value, part))
    said = written(api_server, team, kind, part, value)
    assert (said.returncode != 0) == bool(lists)
    assert unnamed(lists, said.stderr) == []


def unnamed(fields: List[str], said: str) -> List[str]:
    """The fields that a message does not name."""
    return [field for field in fields if f"{field}: " not in said]
