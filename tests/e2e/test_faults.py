"""What goes wrong in the field, done on purpose: the work is finished, once, or the swarm
says what a person has to do."""

from __future__ import annotations

import random
import time

from tests.e2e.test_way_of_a_task import repository
from tests.support.swarm import Place, kill_operator, plan

#: In the pod of the git server: task 1 no longer waits for task 2.
_REPAIR = """
rm -rf /tmp/repair && git clone -q /srv/git/sample.git /tmp/repair && cd /tmp/repair
sed -i 's/_Depends: 2_/_Depends: none_/' .kiro/specs/demo/tasks.md
git -c user.name=p -c user.email=p@kiro.dev commit -qam repaired && git push -q
"""
QUICK = {"heartbeatSeconds": 2, "lostAfterSeconds": 30, "maxAttempts": 2}
SEED = 20261122


def test_an_operator_killed_twenty_times_does_everything_once(place: Place) -> None:
    chain = [f"- [ ] {n}. Task {n}" for n in range(1, 13)]
    needs = {4: "1, 2", 5: "3", 6: "4", 7: "5", 8: "6, 7", 9: "8", 10: "9", 11: "9"}
    lines = []
    for number, line in enumerate(chain, 1):
        lines += [line, f"  - _Depends: {needs.get(number, 'none')}_"]
    recipes = {
        str(n): {"files": {f"{n}.txt": str(n)}, "seconds": 2} for n in range(1, 13)
    }
    url = place.serve(repository(plan(*lines), recipes))
    # A cluster that is kept for many runs has the events of earlier ones, too.
    before = len(place.cluster.audit_events())
    place.swarm(url, instances=3)
    moments = random.Random(SEED)
    for _ in range(20):
        time.sleep(moments.uniform(0.2, 2.5))
        kill_operator(place.cluster)
    status = place.wait_for_phase("Succeeded", seconds=280)
    assert status["progress"] == "12/12"
    tasks = place.tasks()
    assert {name: task["attempt"] for name, task in tasks.items()} == {
        str(n): 1 for n in range(1, 13)
    }
    place.wait(place.status, lambda s: s["integration"]["pushed"])
    trailers = place.trailers()
    assert len(trailers) == 12 == len(set(trailers))
    created = [
        (event["objectRef"]["resource"], event["objectRef"]["name"])
        for event in place.cluster.audit_events()[before:]
        if event["verb"] == "create"
        and event["objectRef"].get("namespace") == place.name
        and event["objectRef"]["resource"] in ("kirotasks", "kiroinstances")
        and event["responseStatus"]["code"] == 201
    ]
    assert len(created) == 12 + 3 == len(set(created))


def test_an_instance_pod_deleted_in_mid_task(place: Place) -> None:
    recipes = {"1": {"files": {"1.txt": "1"}, "seconds": 8}}
    url = place.serve(repository(plan("- [ ] 1. One"), recipes))
    place.swarm(url, recovery=QUICK)
    tasks = place.wait_for_state("1", "Running")
    pod = f"{tasks['1']['instance']}-0"
    place.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    place.wait_for_phase("Succeeded")
    task = place.tasks()["1"]
    assert task["attempt"] == 2
    assert task["failures"] == 0
    assert task["history"][0]["outcome"] in ("InstanceLost", "RunnerStopped")
    instance = tasks["1"]["instance"]
    place.wait(
        lambda: place.get("kiroinstance", instance)["status"],
        lambda status: status["restarts"] == 1 and status["phase"] == "Ready",
    )


def test_the_api_server_restarted_in_mid_task(place: Place) -> None:
    recipes = {
        name: {"files": {f"{name}.txt": name}, "seconds": 5} for name in ("1", "2")
    }
    tasks = plan("- [ ] 1. One", "- [ ] 2. Two", "  - _Depends: 1_")
    url = place.serve(repository(tasks, recipes))
    place.swarm(url, recovery=QUICK)
    place.wait_for_state("1", "Running")
    place.cluster.kill("kube-apiserver")
    place.wait(
        lambda: place.cluster.kubectl("get", "--raw=/readyz", check=False).stdout,
        lambda answer: answer == "ok",
    )
    place.wait_for_phase("Succeeded")
    assert [task["attempt"] for task in place.tasks().values()] == [1, 1]


def test_tasks_deleted_by_hand_are_made_again_and_done_once(place: Place) -> None:
    recipes = {
        name: {"files": {f"{name}.txt": name}, "seconds": seconds}
        for name, seconds in (("1", 0), ("2", 8), ("3", 0))
    }
    chain = ("- [ ] 2. Two", "  - _Depends: 1_", "- [ ] 3. Three", "  - _Depends: 2_")
    url = place.serve(repository(plan("- [ ] 1. One", *chain), recipes))
    place.swarm(url, recovery=QUICK)
    place.wait_for_state("2", "Running")
    # One is merged, one at work, one waits.
    place.kubectl("delete", "kirotasks", "--all")
    status = place.wait_for_phase("Succeeded")
    assert status["progress"] == "3/3"
    one = place.tasks()["1"]
    assert one["reason"] == "MergedBefore", "it was not done again"
    assert one["mergeCommit"], "the ledger knows by which merge"
    place.wait(place.status, lambda s: s["integration"]["pushed"])
    trailers = place.trailers()
    assert len(trailers) == 3 == len(set(trailers))


def test_an_agent_that_exits_0_without_a_commit(place: Place) -> None:
    url = place.serve(repository(plan("- [ ] 1. One"), {}))
    agent = {"command": ["true"]}
    place.swarm(url, recovery=QUICK, template={"agent": agent})
    place.wait_for_phase("Failed")
    task = place.tasks()["1"]
    assert (task["state"], task["reason"], task["attempt"]) == (
        "Failed",
        "NoChanges",
        2,
    )
    assert "left no commit" in task["message"]
    assert place.condition("Stalled")["status"] == "True"


def test_a_remote_that_is_gone(place: Place) -> None:
    place.swarm(f"http://nowhere.{place.name}.svc/sample.git")
    place.wait(
        lambda: place.condition("Prepared"),
        lambda condition: condition.get("reason") == "RemoteUnavailable",
    )
    assert "nowhere" in place.condition("Prepared")["message"]
    assert place.condition("Stalled")["reason"] == "RemoteUnavailable"
    assert place.status()["prepare"]["retryAt"]
    events = place.kubectl("get", "events", "--field-selector=reason=RemoteUnavailable")
    assert "nowhere" in events
    # Back again: nothing has to be done by a person.
    place.wait(
        place.status, lambda status: status["prepare"]["attempt"] == 2, seconds=60
    )


def test_a_task_file_with_a_cycle(place: Place) -> None:
    tasks = plan(
        *("- [ ] 1. One", "  - _Depends: 2_"), *("- [ ] 2. Two", "  - _Depends: 1_")
    )
    url = place.serve(repository(tasks, {}))
    place.swarm(url)
    place.wait(
        lambda: place.condition("Prepared"),
        lambda condition: condition.get("reason") == "TaskFileInvalid",
    )
    message = place.condition("Prepared")["message"]
    assert "dependency cycle: 1 (line 5) -> 2 (line 7) -> 1" in message
    assert not place.items("kirotasks")
    # Repaired and pushed: nothing else has to be done by a person.
    place.kubectl(
        *("exec", "deploy/git-server", "-c", "server", "--", "sh", "-euc", _REPAIR)
    )
    place.wait_for_phase("Succeeded")
