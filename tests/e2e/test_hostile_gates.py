"""Two candidates that end the gate container stand before an honest one, in real pods."""

from __future__ import annotations

from tests.e2e.test_way_of_a_task import repository
from tests.support.swarm import Place, plan

TASKS = plan(
    "- [ ] 1. One",
    "- [ ] 2. Two",
    "  - _Depends: none_",
    "- [ ] 3. Three",
    "  - _Depends: none_",
)
# Process 1 answers to SIGTERM as to the kubelet; all else that runs there is ended as well.
GATE = "ls | grep -q hostile || exit 0; kill -KILL -1; kill -TERM 1; sleep 60"


def test_two_that_end_the_gate_container_do_not_keep_the_third(place: Place) -> None:
    recipes = {
        "1": {"files": {"hostile-1.txt": "x\n"}},
        "2": {"files": {"hostile-2.txt": "x\n"}},
        "3": {"files": {"honest.txt": "x\n"}, "seconds": 3},
    }
    place.swarm(
        place.serve(repository(TASKS, recipes)),
        instances=3,
        recovery={"maxAttempts": 1},
        integration={
            "push": "Always",
            "gates": [{"name": "tests", "command": ["sh", "-c", GATE]}],
        },
    )
    place.wait(
        place.tasks,
        lambda found: [task.get("state") for _, task in sorted(found.items())]
        == ["Failed", "Failed", "Merged"],
        seconds=120,
    )
    tasks = place.tasks()
    for name in ("1", "2"):
        assert tasks[name]["reason"] == "Unmergeable", tasks[name]
        assert "the gate container was ended" in tasks[name]["brief"]
    branch = "swarm/demo/integration"
    names = place.git("ls-tree", "--name-only", branch).split()
    assert "honest.txt" in names
    assert not [name for name in names if "hostile" in name]
