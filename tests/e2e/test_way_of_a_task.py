"""A swarm from ``kubectl apply`` to merged, pushed work; what people do to it meanwhile."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from tests.support.swarm import Place, plan

DIAMOND = plan(
    "- [ ] 1. Parts",
    "  - [ ] 1.1 Make the base",
    "  - [ ] 1.2 Make the left",
    "    - _Depends: 1.1_",
    "  - [ ] 1.3 Make the right",
    "    - _Depends: 1.1_",
    "- [ ] 2. Whole",
    "  - [ ] 2.1 Join them",
    "    - _Depends: 1.2, 1.3_",
    "  - [ ]* 2.2 Polish",
    "    - _Depends: 2.1_",
    "- [x] 3. Begun by hand",
)


def repository(tasks: str, recipes: object) -> dict[str, str]:
    """Files of a repository with a spec and a script for the agent."""
    return {
        ".kiro/specs/demo/tasks.md": tasks,
        ".kiro/scripted-agent.json": json.dumps(recipes),
        "README.md": "a repository of a test\n",
    }


def test_a_diamond_is_worked_through_in_order_and_pushed(place: Place) -> None:
    recipes = {
        "1.1": {"files": {"base.txt": "base\n"}, "seconds": 1},
        "1.2": {"files": {"left.txt": "left\n"}, "seconds": 2, "commit": True},
        "1.3": {"files": {"right.txt": "right\n"}, "seconds": 2},
        "2.1": {
            "files": {"whole.txt": "whole\n"},
            "firstAttempt": {"files": {"broken.txt": "no\n"}},
        },
    }
    url = place.serve(repository(DIAMOND, recipes))
    place.swarm(
        url,
        verification={"command": ["test", "!", "-e", "broken.txt"]},
        integration={
            "push": "OnComplete",
            "gates": [{"name": "base", "command": ["test", "-s", "base.txt"]}],
        },
    )
    status = place.wait_for_phase("Succeeded")
    tasks = place.tasks()

    states = {name: task["state"] for name, task in tasks.items()}
    assert states == {
        **dict.fromkeys(("1.1", "1.2", "1.3", "2.1", "3"), "Merged"),
        "2.2": "Skipped",
    }
    assert (status["progress"], status["readiness"]) == ("5/6", "2/2")
    assert tasks["2.1"]["attempt"] == 2
    assert tasks["2.1"]["history"][0]["outcome"] == "VerificationFailed"
    assert "broken.txt" in tasks["2.1"]["brief"]
    # Each began from a head that had what it depends on.
    assert tasks["1.2"]["startedAt"] > tasks["1.1"]["mergedAt"]
    assert tasks["2.1"]["baseCommit"] not in ("", tasks["1.1"]["baseCommit"])
    # The two sides ran side by side, and the ratio was measured.
    assert tasks["1.2"]["startedAt"] < tasks["1.3"]["finishedAt"]
    assert tasks["1.3"]["startedAt"] < tasks["1.2"]["finishedAt"]
    speedup = status["speedup"]
    assert speedup["ratio"] == round(
        speedup["taskSeconds"] / speedup["elapsedSeconds"], 2
    )
    pushed = place.wait(place.status, lambda s: s["integration"]["pushed"])
    assert pushed["integration"]["pushed"] == pushed["integration"]["head"]
    branch = "swarm/demo/integration"
    names = place.git("ls-tree", "--name-only", branch).split()
    assert {"base.txt", "left.txt", "right.txt", "whole.txt"} <= set(names)
    assert "broken.txt" not in names
    ticked = place.git("show", f"{branch}:.kiro/specs/demo/tasks.md")
    assert ticked == DIAMOND.replace("[ ] 1", "[x] 1").replace("[ ] 2.1", "[x] 2.1")
    assert len(set(place.trailers())) == 4


def test_a_conflict_goes_back_with_a_brief_and_is_solved(place: Place) -> None:
    tasks = plan("- [ ] 1. One", "- [ ] 2. Two", "  - _Depends: none_")
    recipes = {
        "1": {"files": {"shared.txt": "from one\n"}, "seconds": 2},
        "2": {"files": {"shared.txt": "from two\n"}, "seconds": 2},
    }
    url = place.serve(repository(tasks, recipes))
    place.swarm(url)
    place.wait_for_phase("Succeeded")
    found = place.tasks()
    assert sorted(task["attempt"] for task in found.values()) == [1, 2]
    late = next(task for task in found.values() if task["attempt"] == 2)
    assert late["history"][0]["outcome"] == "MergeConflict"
    assert "shared.txt" in late["brief"]


def states(tasks: Dict[str, Dict[str, Any]]) -> List[Optional[str]]:
    """Those of all tasks, in the order of their ids."""
    return [tasks[task].get("state") for task in sorted(tasks)]


def predictions(task: Dict[str, Any]) -> List[Dict[str, Any]]:
    """What a look ahead says in the status of a task."""
    conditions = task.get("conditions") or []
    return [item for item in conditions if item["type"] == "ConflictPredicted"]


def test_a_conflict_is_foretold_and_gone_around(place: Place) -> None:
    """While the agent works; a person says the sentence that ``explain task`` gives."""
    agent = (
        'cat > /dev/null; echo "from $KIRO_TASK_ID" > shared.txt; '
        'test "$KIRO_TASK_ID" = 1 || test "$KIRO_TASK_ATTEMPT" = 2 || sleep 600'
    )
    tasks = plan("- [ ] 1. One", "- [ ] 2. Two", "  - _Depends: none_")
    place.swarm(
        place.serve(repository(tasks, {})),
        template={"agent": {"command": ["sh", "-c", agent]}},
        recovery={"heartbeatSeconds": 2},
        integration={"approval": "Required", "push": "OnComplete"},
    )
    place.wait(place.tasks, lambda found: states(found) == ["Done", "Running"])
    # Not before both began from the same commit.
    assert place.command("yes", "approve task 1")["status"]["phase"] == "Succeeded"
    told = place.wait(place.tasks, lambda found: predictions(found["2"]))["2"]
    (condition,) = predictions(told)
    assert (condition["status"], condition["reason"]) == ("True", "OverlapsMergedWork")
    assert condition["message"] == (
        "as it is now, the work conflicts with the merged task 1 in shared.txt"
    )
    assert (told["state"], told["attempt"]) == ("Running", 1)
    explained = place.command("why", "explain task 2")["status"]["message"]
    sentence = f"reassign tasks from {told['instance']}"
    assert explained.endswith(f"to begin anew at once: say `{sentence}`")
    assert place.command("away", sentence)["status"]["phase"] == "Succeeded"
    place.wait(place.tasks, lambda found: states(found) == ["Merged", "Done"])
    place.command("yes-again", "approve task 2")
    place.wait_for_phase("Succeeded")
    again = place.tasks()["2"]
    assert [record["outcome"] for record in again["history"]] == ["Reassigned"]
    assert (again["attempt"], predictions(again)) == (2, [])
    branch = "swarm/demo/integration"
    assert place.git("show", f"{branch}:shared.txt").strip() == "from 2"


def test_a_red_gate_keeps_the_branch_where_it_was(place: Place) -> None:
    recipes = {"1": {"files": {"bad.txt": "x\n"}}}
    url = place.serve(repository(plan("- [ ] 1. One"), recipes))
    gate = {"name": "clean", "command": ["test", "!", "-e", "bad.txt"]}
    place.swarm(
        url,
        recovery={"maxAttempts": 1},
        integration={"push": "Always", "gates": [gate]},
    )
    status = place.wait_for_phase("Failed")
    task = place.tasks()["1"]
    assert (task["state"], task["reason"]) == ("Failed", "GateFailed")
    assert "gate clean is red" in task["message"]
    assert status["integration"]["head"] == status["integration"]["base"]
    assert place.condition("Stalled")["reason"] == "TasksFailed"
    answer = place.command("again", "run task 1")
    assert answer["status"]["message"] == "task 1 was failed; it is tried again"
    place.wait(place.tasks, lambda tasks: tasks["1"]["attempt"] == 2)


def test_scaling_down_lets_a_busy_instance_finish(place: Place) -> None:
    recipes = {
        name: {"files": {f"{name}.txt": name}, "seconds": 6} for name in ("1", "2")
    }
    tasks = plan("- [ ] 1. One", "- [ ] 2. Two", "  - _Depends: none_")
    url = place.serve(repository(tasks, recipes))
    place.swarm(url)
    place.wait(
        place.tasks,
        lambda tasks: [t["state"] for t in tasks.values()] == ["Running"] * 2,
    )
    place.kubectl("scale", "kiroswarm/demo", "--replicas=1")
    place.wait(
        lambda: place.items("kiroinstances"),
        lambda items: any(i["status"].get("phase") == "Draining" for i in items),
    )
    place.wait_for_phase("Succeeded")
    assert [task["attempt"] for task in place.tasks().values()] == [1, 1]
    place.wait(lambda: place.items("kiroinstances"), lambda items: len(items) == 1)
    answer = place.command("up", "scale up instances 1")
    assert answer["status"]["result"]["data"] == {"from": 1, "to": 2}
    place.wait(place.status, lambda status: status["readiness"] == "2/2", seconds=60)


def test_suspend_stops_after_the_running_task_and_resume_goes_on(place: Place) -> None:
    recipes = {
        name: {"files": {f"{name}.txt": name}, "seconds": 3} for name in ("1", "2")
    }
    tasks = plan("- [ ] 1. One", "- [ ] 2. Two", "  - _Depends: 1_")
    url = place.serve(repository(tasks, recipes))
    place.swarm(url, instances=1)
    place.wait_for_state("1", "Running")
    patch = ("patch", "kiroswarm", "demo", "--type=merge", "-p")
    place.kubectl(*patch, '{"spec":{"suspend":true}}')
    place.wait_for_phase("Suspended")
    place.wait_for_state("1", "Merged")
    instance_pods = ("pods", "-l", "swarm.kiro.dev/component=instance")
    place.wait(
        lambda: place.cluster.get("-n", place.name, *instance_pods)["items"],
        lambda pods: not pods,
    )
    assert place.tasks()["2"]["state"] == "Ready"
    place.kubectl(*patch, '{"spec":{"suspend":false}}')
    place.wait_for_phase("Succeeded")


def test_a_swarm_that_asks_for_it_is_rescued_before_it_goes(place: Place) -> None:
    """Merged and never pushed, and done and never merged: both are nowhere else."""
    tasks = plan("- [ ] 1. One", "- [ ] 2. Two", "  - _Depends: none_")
    recipes = {name: {"files": {f"{name}.txt": name}} for name in ("1", "2")}
    place.swarm(
        place.serve(repository(tasks, recipes)),
        integration={"approval": "Required", "push": "Never", "onDelete": "Rescue"},
    )
    place.wait(place.tasks, lambda found: states(found) == ["Done", "Done"])
    assert place.command("yes", "approve task 1")["status"]["phase"] == "Succeeded"
    place.wait(place.tasks, lambda found: states(found) == ["Merged", "Done"])
    place.kubectl("delete", "kiroswarm", "demo")
    saved = place.git("for-each-ref", "--format=%(refname)", "refs/kiro").split()
    assert len(saved) == 2
    merged, done = sorted(saved, key=lambda name: "/done/" in name)
    assert place.git("show", f"{merged}:1.txt").strip() == "1"
    assert place.git("show", f"{done}:2.txt").strip() == "2"
    heads = place.git("for-each-ref", "--format=%(refname)", "refs/heads").split()
    assert heads == ["refs/heads/main"], "no branch was touched"
    listed = ("pods,pvc,jobs", "-l", "swarm.kiro.dev/swarm=demo")
    place.wait(
        lambda: place.cluster.get("-n", place.name, *listed)["items"],
        lambda items: not items,
        seconds=90,
    )


def test_deleting_a_swarm_leaves_nothing_behind(place: Place) -> None:
    said = ["looking around", "nearly there"]
    recipes = {"1": {"files": {"1.txt": "1"}, "seconds": 30, "say": said}}
    url = place.serve(repository(plan("- [ ] 1. One"), recipes))
    place.swarm(url)
    # What the agent says is seen while it works.
    place.wait(
        place.tasks,
        lambda tasks: tasks["1"]["state"] == "Running"
        and (tasks["1"].get("progress") or {}).get("message") in said,
    )
    place.kubectl("delete", "kiroswarm", "demo")
    kinds = "kiro,pods,jobs,pvc,leases,serviceaccounts,roles,rolebindings,configmaps"
    listed = (f"{kinds},networkpolicies", "-l", "swarm.kiro.dev/swarm=demo")
    place.wait(
        lambda: place.cluster.get("-n", place.name, *listed)["items"],
        lambda items: not items,
        seconds=90,
    )
    assert not place.items("kirotasks")
