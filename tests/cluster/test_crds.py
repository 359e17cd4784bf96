"""The four kinds on a real API server: what kubectl shows, scales and selects."""

from __future__ import annotations

import json
from typing import Any, Iterator, List

import pytest

from kiro_swarm.api.crd import KINDS, Kind
from tests.cluster.chart import dump, install_crds, namespace
from tests.cluster.kinds import command, instance, swarm, task
from tests.support.cluster import Cluster


@pytest.fixture(scope="module")
def team(api_server: Cluster) -> Iterator[str]:
    install_crds(api_server)
    with namespace(api_server, "kinds") as name:
        yield name


@pytest.fixture(scope="module")
def applied(api_server: Cluster, team: str) -> None:
    """One object of each kind, and a second task."""
    items = [
        swarm(instances=2),
        instance(),
        task("demo-1"),
        task("demo-2", id="2", title="Write the parser"),
        command("status swarm"),
    ]
    api_server.kubectl("create", f"--namespace={team}", "-f", "-", input=dump(*items))


@pytest.mark.usefixtures("applied")
def test_new_objects_begin_with_a_state(api_server: Cluster, team: str) -> None:
    def status(name: str) -> Any:
        return api_server.get(name, "-n", team)["status"]

    assert status("kiroswarm/demo") == {"phase": "Pending"}
    assert status("kiroinstance/demo-1") == {"phase": "Pending"}
    assert status("kirotask/demo-2") == {"state": "Blocked"}
    assert status("swarmcommand/say") == {"phase": "Pending"}


@pytest.mark.usefixtures("applied")
def test_a_status_is_not_written_with_a_spec(api_server: Cluster, team: str) -> None:
    patch = '{"spec":{"priority":3},"status":{"state":"Merged"}}'
    api_server.kubectl(
        "patch", "kirotask/demo-2", "-n", team, "--type=merge", "-p", patch
    )
    found = api_server.get("kirotask/demo-2", "-n", team)
    assert (found["spec"]["priority"], found["status"]["state"]) == (3, "Blocked")


@pytest.mark.usefixtures("applied")
def test_the_category_kiro_has_all_four_kinds(api_server: Cluster, team: str) -> None:
    # kubectl keeps what it knows of categories for hours; this makes it ask again.
    api_server.kubectl("api-resources", "--categories=kiro")
    names = api_server.kubectl("get", "kiro", "-n", team, "-o", "name").stdout.split()
    assert set(names) == {
        "kiroswarm.swarm.kiro.dev/demo",
        "kiroinstance.swarm.kiro.dev/demo-1",
        "kirotask.swarm.kiro.dev/demo-1",
        "kirotask.swarm.kiro.dev/demo-2",
        "swarmcommand.swarm.kiro.dev/say",
    }


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("kiroswarm", "NAME PHASE INSTANCES TASKS AGE MESSAGE"),
        ("kiroinstance", "NAME SWARM PHASE COLOUR TASK BRANCH RESTARTS AGE"),
        ("kirotask", "NAME STATE ATTEMPT INSTANCE TITLE AGE MESSAGE"),
        ("swarmcommand", "NAME SWARM COMMAND PHASE AGE MESSAGE"),
    ],
)
def test_columns_tell_how_it_goes(
    api_server: Cluster, team: str, kind: str, columns: str
) -> None:
    table = api_server.kubectl("get", kind, "-n", team).stdout
    assert table.splitlines()[0].split() == columns.split()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@pytest.mark.usefixtures("team")
def test_a_short_name_means_this_kind_and_no_other(
    api_server: Cluster, kind: Kind
) -> None:
    for short in kind.short_names:
        explained = api_server.kubectl("explain", short).stdout
        assert f"KIND:       {kind.kind}\n" in explained, short


@pytest.mark.usefixtures("applied")
def test_columns_show_the_status(api_server: Cluster, team: str) -> None:
    status = {"phase": "Running", "readiness": "2/2", "progress": "3/7"}
    api_server.kubectl(
        "patch",
        "kiroswarm/demo",
        "-n",
        team,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": {**status, "message": "moving"}}),
    )
    row = api_server.kubectl("get", "swarm", "-n", team, "--no-headers").stdout.split()
    assert row[:4] == ["demo", "Running", "2/2", "3/7"]
    assert row[-1] == "moving"


def test_kubectl_scale_sets_the_instances(api_server: Cluster, team: str) -> None:
    body = dump(swarm("scaled"))
    api_server.kubectl("create", "-n", team, "-f", "-", input=body)
    scale = ("scale", "kiroswarm/scaled", "-n", team)
    api_server.kubectl(*scale, "--current-replicas=1", "--replicas=7")
    assert api_server.get("kiroswarm/scaled", "-n", team)["spec"]["instances"] == 7
    refused = api_server.kubectl(*scale, "--replicas=1001", check=False)
    assert "1000" in refused.stderr


@pytest.mark.usefixtures("applied")
def test_a_runner_can_ask_for_its_own_tasks_alone(
    api_server: Cluster, team: str
) -> None:
    patch = {"status": {"state": "Bound", "instance": "demo-1", "attempt": 1}}
    api_server.kubectl(
        "patch",
        "kirotask/demo-1",
        "-n",
        team,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps(patch),
    )

    def select(selector: str) -> List[str]:
        found = api_server.get("kirotasks", "-n", team, f"--field-selector={selector}")
        return [item["metadata"]["name"] for item in found["items"]]

    assert select("status.instance=demo-1") == ["demo-1"]
    assert select("status.instance=demo-2") == []
    assert select("status.state=Blocked") == ["demo-2"]
    assert select("spec.swarm=demo") == ["demo-1", "demo-2"]
