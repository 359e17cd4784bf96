"""Sentences that need git: a Job reads or merges, the operator itself never does."""

from __future__ import annotations

import json
from typing import Any, Dict

from tests.support.swarm import Place, plan

INTO = "swarm/demo/integration"
#: One commit more on main of the served repository: $1 is the file, $2 its text.
PUSH = """
set -e
cd /srv/git/sample.git
export GIT_INDEX_FILE=/srv/git/index-of-a-test
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
git read-tree main
blob=$(printf '%s' "$2" | git hash-object -w --stdin)
git update-index --add --cacheinfo "100644,$blob,$1"
git update-ref refs/heads/main \
  "$(git commit-tree -p main -m "Change $1" "$(git write-tree)")"
git rev-parse main
"""


def push_upstream(place: Place, path: str, text: str) -> str:
    """A person pushes a commit to main; its id."""
    pod = ("exec", "deploy/git-server", "-c", "server", "--")
    return place.kubectl(*pod, "sh", "-c", PUSH, "sh", path, text).strip()


def data_of(place: Place, answer: Dict[str, Any]) -> str:
    """The longer part of an answer."""
    reference = answer["status"]["dataRef"]
    kept: str = place.get("configmap", reference["configMap"])["data"][reference["key"]]
    assert reference["sizeBytes"] == len(kept.encode())
    return kept


def head(place: Place) -> str:
    """The pushed integration branch."""
    return place.git("rev-parse", INTO).strip()


def test_what_a_task_changed_is_shown_and_upstream_comes_in(place: Place) -> None:
    recipes = {
        "1": {"files": {"app.txt": "from the swarm\n"}},
        "2": {"files": {"slow.txt": "slow\n"}, "seconds": 600},
    }
    files = {
        ".kiro/specs/demo/tasks.md": plan(
            "- [ ] 1. Write the app", "- [ ] 2. Take long", "  - _Depends: 1_"
        ),
        ".kiro/scripted-agent.json": json.dumps(recipes),
        "app.txt": "from the start\n",
    }
    place.swarm(place.serve(files), integration={"push": "Always"})
    place.wait(
        place.tasks,
        lambda tasks: tasks["1"]["state"] == "Merged"
        and tasks["2"]["state"] == "Running",
    )
    merge = place.tasks()["1"]["mergeCommit"]

    diff = place.command("what", "diff task 1")
    assert diff["status"]["phase"] == "Succeeded", diff["status"]
    assert f"merged as {merge[:12]}" in diff["status"]["message"]
    assert diff["status"]["result"]["data"]["files"] == 2, "the file and the plan"
    patch = data_of(place, diff)
    assert "-from the start\n+from the swarm\n" in patch
    owner = place.get("configmap", "what-result")["metadata"]["ownerReferences"]
    assert owner[0]["uid"] == diff["metadata"]["uid"]

    log = place.command("commits", "log task 1")
    assert log["status"]["phase"] == "Succeeded", log["status"]
    assert "Merge task 1: Write the app" in data_of(place, log)

    nothing = place.command("nothing", "diff task 2")
    assert "nothing is committed yet" in nothing["status"]["message"]
    assert "dataRef" not in nothing["status"]

    new = push_upstream(place, "new.txt", "from a person\n")
    before = head(place)
    sync = place.command("sync", "git sync upstream")
    assert sync["status"]["phase"] == "Succeeded", sync["status"]
    after = sync["status"]["result"]["data"]
    assert (after["source"], after["before"], after["commits"]) == (new, before, 1)
    assert head(place) == after["head"] != before
    assert "from a person" in place.git("show", f"{INTO}:new.txt")
    assert "from the swarm" in place.git("show", f"{INTO}:app.txt")
    place.wait(place.status, lambda s: s["integration"]["head"] == after["head"])
    again = place.command("again", "git sync upstream")
    assert "is up to date with the default branch" in again["status"]["message"]

    push_upstream(place, "app.txt", "from a person, too\n")
    refused = place.command("conflict", "git sync upstream")
    assert refused["status"]["phase"] == "Failed"
    assert "app.txt" in refused["status"]["message"]
    assert head(place) == after["head"], "nothing was moved"

    empty = place.command("empty", "merge completed branches")
    assert empty["status"]["phase"] == "Succeeded"
    assert "nothing to merge" in empty["status"]["message"]
    place.kubectl("delete", "swarmcommand", "what")
    place.wait(
        lambda: place.kubectl("get", "configmaps", "-o", "name"),
        lambda names: "what-result" not in names,
    )


def test_work_is_looked_at_before_it_is_approved_and_merged(place: Place) -> None:
    """Its commit is in the instance's own repository, which the Job only reads."""
    files = {
        ".kiro/specs/demo/tasks.md": plan("- [ ] 1. Write the app"),
        ".kiro/scripted-agent.json": json.dumps({"1": {"files": {"app.txt": "new\n"}}}),
    }
    place.swarm(place.serve(files), instances=1, integration={"approval": "Required"})
    place.wait_for_state("1", "Done")

    diff = place.command("what", "diff task 1")
    assert diff["status"]["phase"] == "Succeeded", diff["status"]
    assert "1 file changed, 1 insertion, 0 deletions" in diff["status"]["message"]
    assert "+++ b/app.txt" in data_of(place, diff)

    early = place.command("early", "merge completed branches")
    assert early["status"]["phase"] == "Failed"
    assert "1 waits for a person: 'approve task 1'" in early["status"]["message"]
    branch = place.tasks()["1"]["branch"]
    one = place.command("one", f"merge branch {branch}")
    assert "'approve task 1'" in one["status"]["message"]

    assert place.command("yes", "approve task 1")["status"]["phase"] == "Succeeded"
    merge = place.command("merge", "merge completed branches")
    assert merge["status"]["phase"] == "Succeeded", merge["status"]
    place.wait_for_state("1", "Merged")
    late = place.command("late", f"merge branch {branch}")
    commit = place.tasks()["1"]["mergeCommit"][:12]
    assert late["status"]["message"] == f"task 1 is merged already, as {commit}"
