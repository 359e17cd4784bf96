"""``kubectl swarm ledger``: what is believed is shown, what was changed is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS, SWARMS
from kiro_swarm.policy import chain
from tests.support.fake_api import FakeApi
from tests.unit.cli.kubectl.plugin import NAMESPACE, plugin, put_swarm

OTHER = {"metadata": {"uid": "of-before"}}


def entries(count: int) -> list[dict[str, Any]]:
    """A ledger that is whole, each entry a merge of one task."""
    lines: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        previous = lines[-1]["hash"] if lines else chain.BEGINNING
        task = {"id": f"{number}.1", "uid": f"u-{number}", "attempt": number}
        entry = {
            "kind": "merge",
            "before": f"{number - 1:040x}",
            "after": f"{number:040x}",
            "tasks": [task],
            "gates": [{"name": "unit", "passed": number != 2, "seconds": 1.5}],
            "time": f"2026-01-01T00:00:0{number}Z",
            **{"job": "demo-integrate-1", "swarm": "u", "command": ""},
        }
        lines.append(chain.chained(entry, number, previous))
    return lines


def put_ledger(
    api: FakeApi, swarm: Any, lines: list[dict[str, Any]], name: str = "demo-ledger-1"
) -> None:
    uid = swarm["metadata"]["uid"]
    owner = {"apiVersion": SWARMS.api_version, "kind": SWARMS.kind, "name": "demo"}
    labels = {
        "swarm.kiro.dev/swarm": "demo",
        "swarm.kiro.dev/component": "ledger",
        "app.kubernetes.io/managed-by": "kiro-swarm",
    }
    metadata = {
        "name": name,
        "labels": labels,
        "ownerReferences": [{**owner, "uid": uid}],
    }
    data = {chain.key_of(line["sequence"]): chain.write(line) for line in lines}
    body = {"metadata": metadata, "data": data}
    api.store.create(CONFIG_MAPS, NAMESPACE, body)


async def test_each_move_is_shown_with_its_tasks_and_gates(api: FakeApi) -> None:
    put_ledger(api, put_swarm(api), entries(3))
    said = await plugin("ledger")
    assert (said.code, said.err) == (0, "")
    first, second, _third = said.out.splitlines()[1:]
    assert first.split()[0] == "1"
    assert "merge" in first
    assert "2026-01-01 00:00:01" in first
    assert "1.1" in first
    assert "✓ unit" in first
    assert "2.1#2" in second
    assert "✗ unit" in second
    told = json.loads((await plugin("ledger", "-o", "json")).out)["items"]
    assert [entry["sequence"] for entry in told] == [1, 2, 3]
    assert told[2]["before"] == told[1]["after"] == f"{2:040x}"


async def test_nothing_merged_is_said(api: FakeApi) -> None:
    put_swarm(api)
    said = await plugin("ledger")
    assert (said.code, said.out) == (0, "")
    assert said.err == "nothing was merged in swarm demo yet\n"


async def test_what_is_of_another_swarm_or_name_is_not_shown(api: FakeApi) -> None:
    put_ledger(api, put_swarm(api), entries(1))
    put_ledger(api, OTHER, entries(3), "demo-ledger-2")
    said = await plugin("ledger", "-o", "json")
    assert len(json.loads(said.out)["items"]) == 1


async def test_of_another_name_nothing_is_shown(api: FakeApi) -> None:
    put_ledger(api, put_swarm(api), entries(2), "demo-notes")
    assert (await plugin("ledger")).err == "nothing was merged in swarm demo yet\n"


@pytest.mark.parametrize(
    "change",
    [
        {"after": "f" * 40},
        {"previous": "0" * 64},
        {"tasks": []},
    ],
)
async def test_a_changed_entry_and_all_after_it_are_not_believed(
    api: FakeApi, change: dict[str, Any]
) -> None:
    lines = entries(3)
    lines[1] = {**lines[1], **change}
    put_ledger(api, put_swarm(api), lines)
    said = await plugin("ledger", "-o", "json")
    assert said.code != 0
    assert "error: the ledger is not what was written\n" in said.err
    assert "line 2" in said.err
    assert len(json.loads(said.out)["items"]) == 1


async def test_a_line_that_is_no_entry_is_named(api: FakeApi) -> None:
    lines = entries(1)
    lines.append(chain.chained({"kind": "theft"}, 2, lines[0]["hash"]))
    put_ledger(api, put_swarm(api), lines)
    said = await plugin("ledger")
    assert said.code != 0
    assert "line 2 is no entry of a ledger" in said.err
