"""``run task X beast-mode`` on real pods: one attempt in cycles, each of them on record."""

from __future__ import annotations

import json
from typing import Any, Dict

from tests.support.swarm import SCRIPTED, Place, plan

# It leaves a file behind each time, which is not the agent's work.
CHECK = "echo litter > check.log; cat answer.txt; grep -q right answer.txt"


def begin_in_beast_mode(
    place: Place, recipe: Dict[str, object], **changes: Any
) -> None:
    """A swarm of one task, which is asked for in beast mode before it can begin."""
    url = place.serve(
        {
            ".kiro/specs/demo/tasks.md": plan("- [ ] 1. Find the answer"),
            ".kiro/scripted-agent.json": json.dumps({"1": recipe}),
        }
    )
    place.swarm(
        url,
        suspend=True,
        instances=1,
        verification={"command": ["sh", "-c", CHECK]},
        template={"agent": {"command": SCRIPTED, "maxCycles": 4}},
        **changes,
    )
    place.wait_for_state("1", "Ready")
    answer = place.command("please", "run task 1 beast-mode")
    assert answer["status"]["phase"] == "Succeeded", answer["status"]
    place.kubectl("patch", "kiroswarm/demo", "--type=merge", "-p", RESUME)


RESUME = '{"spec":{"suspend":false}}'


def test_a_task_is_right_in_its_third_cycle_and_merged_in_one_attempt(
    place: Place,
) -> None:
    recipe: Dict[str, object] = {
        "cycles": [
            {"files": {"answer.txt": "one\n"}, "commit": True},
            {"files": {"answer.txt": "two\n"}},
        ],
        "files": {"answer.txt": "right\n"},
        "say": ["the check wants another answer"],
    }
    begin_in_beast_mode(place, recipe)
    place.wait_for_phase("Succeeded")
    task = place.tasks()["1"]
    assert (task["state"], task["attempt"]) == ("Merged", 1)
    assert "history" not in task
    red = "VerificationFailed"
    assert [
        (cycle["attempt"], cycle["cycle"], cycle["outcome"]) for cycle in task["cycles"]
    ] == [(1, 1, red), (1, 2, red), (1, 3, "Checked")]
    first, second, third = task["cycles"]
    assert len({first["commit"], second["commit"], third["commit"]}) == 3
    assert third["commit"] == task["commit"]
    assert first["finishedAt"] <= second["startedAt"] < second["finishedAt"]
    assert first["message"].endswith("exited with 1")
    pushed = place.wait(place.status, lambda status: status["integration"]["pushed"])
    head = pushed["integration"]["pushed"]
    assert place.git("show", f"{head}:answer.txt") == "right\n"
    # The cycles stand on one another, without what the check left.
    reached = place.git("rev-list", head).split()
    assert {cycle["commit"] for cycle in task["cycles"]} <= set(reached)
    assert "check.log" not in place.git("ls-tree", "--name-only", head).split()
    assert len(place.trailers()) == 1


def test_a_task_that_stands_still_is_given_up(place: Place) -> None:
    recipe: Dict[str, object] = {"files": {"answer.txt": "wrong\n"}, "commit": True}
    begin_in_beast_mode(place, recipe, recovery={"maxAttempts": 1})
    place.wait_for_phase("Failed")
    task = place.tasks()["1"]
    assert (task["state"], task["reason"]) == ("Failed", "NoProgress")
    assert [cycle["cycle"] for cycle in task["cycles"]] == [1, 2]
    assert "cycle 2 of 4 changed nothing" in task["message"]
    assert "The end of its output:\nwrong" in task["brief"]
