"""Tables of swarms, instances, commands, events, usage and the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cli.kubectl.views.audit import audit_table
from kiro_swarm.cli.kubectl.views.commands import commands_table
from kiro_swarm.cli.kubectl.views.instances import instances_table
from kiro_swarm.cli.kubectl.views.swarms import swarms_table
from kiro_swarm.cli.kubectl.views.top import events_table, quantity, top_table
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import NOW, shown


def lines_of(view: Any, width: int = 200) -> list[str]:
    return shown(view, width).splitlines()


def test_a_swarm_is_one_line() -> None:
    head, line = lines_of(swarms_table([sample.swarm()], now=NOW))
    assert head.split() == [
        *("NAME", "PHASE", "PROGRESS", "INSTANCES", "SPEED-UP", "AGE", "MESSAGE"),
    ]
    assert line.split()[:2] == ["shop", "Running"]
    assert "━━━━────── 7/15" in line
    assert "2.5x" in line
    assert line.endswith("task 3.2 failed: no attempts are left")


def test_a_wide_swarm_names_repository_branch_and_head() -> None:
    line = lines_of(swarms_table([sample.swarm()], True, now=NOW))[1]
    assert "https://git.example.org/shop.git  swarm/shop/integration  c0ffee" in line


def test_swarms_of_several_namespaces_say_which() -> None:
    other = sample.swarm()
    other["metadata"] = {"name": "another", "namespace": "apps"}
    head, first, second = lines_of(swarms_table([sample.swarm(), other], now=NOW))
    assert head.startswith("NAMESPACE")
    assert (first.split()[:2], second.split()[:2]) == (
        ["apps", "another"],
        ["default", "shop"],
    )


def test_an_instance_says_its_colour_task_and_for_how_long() -> None:
    table = instances_table(sample.swarm(), sample.instances(), sample.tasks(), now=NOW)
    first, _, third = lines_of(table)[1:]
    assert first.startswith("■ shop-1  Azure Blue")
    assert "Busy   2.4   3m05s  swarm/shop/2.4/1  shop-1-0" in first
    assert third.split() == [
        *("■", "shop-3", "Svelte", "Orange", "Ready", "shop-3-0", "12m"),
    ]


def test_an_instance_with_a_task_in_hand_is_busy() -> None:
    instances = sample.instances()
    instances[0]["status"]["phase"] = "Ready"
    table = instances_table(sample.swarm(), instances, sample.tasks(), True, now=NOW)
    first = lines_of(table)[1]
    assert " Busy " in first
    assert "Running  node-a  0         #007fff" in first


def test_instances_are_ordered_by_number() -> None:
    instances = [
        {"metadata": {"name": f"shop-{index}"}, "spec": {"index": index}}
        for index in (10, 2, 1)
    ]
    table = instances_table(sample.swarm(), instances, [], now=NOW)
    assert [line.split()[1] for line in lines_of(table)[1:]] == [
        *("shop-1", "shop-2", "shop-10"),
    ]


def test_a_command_says_who_said_what_and_the_answer() -> None:
    lines = lines_of(commands_table(sample.commands(), now=NOW))
    assert lines[1].split("  ") == [
        *("shop-cmd-0", "scale instances 3", "", "", "", "", "", "", "Succeeded"),
        *("ada@example.org", "0.4s", "11m", "", "scaled from 2 to 3 instances"),
    ]
    assert "Running    ada@example.org   30s  30s" in lines[4]


def test_a_running_command_says_how_far_it_is() -> None:
    command = sample.commands()[3]
    command["spec"]["dryRun"] = True
    command["status"]["partialResults"] = [{"done": True}, {"done": False}, "odd"]
    line = lines_of(commands_table([command], True, now=NOW))[1]
    assert "(dry run)" in line
    assert "1/3 waits for task 3.3" in line


def test_a_command_that_nobody_has_seen_is_pending() -> None:
    command = {"metadata": {"name": "c"}, "spec": {"command": "status swarm"}}
    line = lines_of(commands_table([command], now=NOW))[1]
    assert line.split() == ["c", "status", "swarm", "Pending", "<unknown>"]


EVENTS: list[dict[str, Any]] = [
    {
        "type": "Warning",
        "reason": "TaskFailed",
        "message": "task 3.2 failed",
        "involvedObject": {"kind": "KiroSwarm", "name": "shop"},
        "lastTimestamp": "2026-11-22T10:11:54Z",
        "count": 3,
    },
    {
        "type": "Normal",
        "reason": "Prepared",
        "note": "15 tasks",
        "regarding": {"kind": "KiroSwarm", "name": "shop"},
        "eventTime": "2026-11-22T10:00:04.123456Z",
    },
]


def test_events_of_both_apis_stand_in_order_of_time() -> None:
    first, second = lines_of(events_table(EVENTS, NOW))[1:]
    assert first == "11m        Normal   Prepared    kiroswarm/shop  15 tasks"
    assert second == "6s (x3)    Warning  TaskFailed  kiroswarm/shop  task 3.2 failed"


def test_an_event_without_time_is_first() -> None:
    assert lines_of(events_table([*EVENTS, {}], NOW))[1].startswith("<unknown>")


def pod(name: str, **more: Any) -> dict[str, Any]:
    limits = {"limits": {"cpu": "1", "memory": "1Gi"}}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "agent", "resources": limits, **more}]},
        "status": {
            "phase": "Running",
            "startTime": sample.at(0),
            "containerStatuses": [{"restartCount": 2}],
        },
    }


def usage(name: str, cpu: str, memory: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "containers": [{"usage": {"cpu": cpu, "memory": memory}}],
    }


def test_usage_is_shown_beside_the_limit() -> None:
    pods = [pod("shop-1-0"), pod("shop-2-0", resources={})]
    metrics = [usage("shop-1-0", "950000000n", "512Mi"), usage("shop-2-0", "3m", "1Ki")]
    table = top_table(sample.instances(), pods, metrics, sample.tasks(), NOW)
    first, second, third = lines_of(table)[1:]
    assert "950m ━━━━━─ 95%" in first
    assert "512Mi ━━━─── 50%" in first
    assert first.split()[-4:] == ["2", "12m", "2.4", "3m05s"]
    assert " 3m " in second
    assert "%" not in second, "without a limit there is no share"
    assert third.split() == ["■", "shop-3", "-", "-", "-"]


def test_without_metrics_a_line_says_why() -> None:
    table = top_table(sample.instances(), [], [], [], NOW)
    assert lines_of(table)[-1] == "no usage: the cluster has no metrics for these pods"
    assert lines_of(top_table([], [], [], [], NOW)) == ["no instances"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", 0.25),
        ("1.5Gi", 1.5 * 1024**3),
        ("2", 2.0),
        ("5k", 5000.0),
        ("7i", None),
        ("-1", None),
        (None, None),
    ],
)
def test_a_quantity_is_read_as_kubernetes_writes_it(text: str, value: float) -> None:
    assert quantity(text) == value


RECORD = {
    "sequence": 7,
    "time": "2026-11-22T10:11:54.123456Z",
    "who": "ada@example.org",
    "what": "scale instances 5",
    "outcome": "Succeeded",
    "message": "scaled",
    "changes": [
        {
            "object": "kiroswarm/shop",
            "before": '{"spec":{"instances":3,"suspend":false}}',
            "after": '{"spec":{"instances":5,"suspend":false}}',
        }
    ],
    "changesInAll": 3,
    "hash": "ab" * 32,
}


def test_a_line_of_the_audit_log_says_the_difference() -> None:
    line = lines_of(audit_table([RECORD]))[1]
    assert "2026-11-22 10:11:54  ada@example.org  scale instances 5" in line
    assert "kiroswarm/shop spec.instances 3 → 5 and 2 more" in line
    assert line.endswith("abababababab")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("absent", "created", "absent → created"),
        ('{"a":', '{"a":1}', '{"a": → {"a":1}'),
        ('{"a":null}', '{"a":{"b":[1]}}', "a.b none → [1]"),
        ("[]", "3", "[] → 3"),
        ("", "3", "none → 3"),
        ('{"a":""}', '{"a":"b"}', "a none → b"),
    ],
)
def test_what_is_no_object_is_shown_as_it_is(
    before: str, after: str, said: str
) -> None:
    change = {"object": "o", "before": before, "after": after}
    record = {**RECORD, "changes": [change], "changesInAll": 1}
    assert f"o {said}" in lines_of(audit_table([record]))[1]


def test_a_line_without_changes_says_the_message() -> None:
    line = lines_of(audit_table([{**RECORD, "changes": [], "time": "?"}]))[1]
    assert "scaled" in line
    assert " ?  " in line
