"""Diffs, answers with data, ways into an instance."""

from __future__ import annotations

import shlex
from typing import Any

from kiro_swarm.cli.kubectl.views.attach import ide_address, open_text, shell_command
from kiro_swarm.cli.kubectl.views.diff import diff_text
from kiro_swarm.cli.kubectl.views.explain import explain_text, words
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import shown

DIFF = """\
diff --git a/app/main.py b/app/main.py
index 1111111..2222222 100644
--- a/app/main.py
+++ b/app/main.py
@@ -1,3 +1,4 @@ def main():
 unchanged
--- a removed line that looks like a head
+++ an added one
+another
 unchanged
\\ No newline at end of file
diff --git a/logo.png b/logo.png
new file mode 100644
Binary files /dev/null and b/logo.png differ
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
"""


def test_a_diff_has_a_summary_by_file() -> None:
    lines = shown(diff_text(DIFF)).splitlines()
    assert lines[:4] == [
        "app/main.py       3  ++-",
        "logo.png     binary",
        "gone.txt          1  -",
        "3 files changed, +2 -2",
    ]
    assert "\n".join(lines[5:]) == DIFF.rstrip("\n")


def test_a_plain_diff_without_git_is_read_too() -> None:
    text = "--- a.txt\t2026\n+++ b/a.txt\n@@ -1 +1 @@\n-x\n+y\n--- b\n+++ b\n@@ -0,0 +1 @@\n+z\n"
    lines = shown(diff_text(text)).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["a.txt", "2", "+-"],
        ["b", "1", "+"],
        ["2", "files", "changed,", "+2", "-1"],
    ]


def test_a_hunk_that_is_cut_short_does_not_swallow_the_next_file() -> None:
    text = "--- a\n+++ b/a\n@@ -1,9 +1,9 @@\n+x\ndiff --git a/c b/c\n--- a/c\n+++ b/c\n"
    assert [line.split()[0] for line in shown(diff_text(text)).splitlines()[:2]] == [
        *("a", "c"),
    ]


def test_large_changes_share_a_bar_of_a_bounded_length() -> None:
    body = "".join(f"+{number}\n" for number in range(5000))
    text = f"--- a\n+++ b\n@@ -0,0 +1,5000 @@\n{body}"
    assert len(shown(diff_text(text)).splitlines()[0]) < 50


def test_what_is_no_diff_is_shown_as_it_is() -> None:
    assert shown(diff_text("")) == "no changes\n"
    assert shown(diff_text("+x\njust words")).splitlines() == [
        *("0 files changed, +0 -0", "", "+x", "just words"),
    ]
    orphan = shown(diff_text("@@ -1 +1 @@\n-x\n+y"))
    assert orphan.startswith("0 files changed")


def test_an_answer_is_an_outline() -> None:
    data: dict[str, Any] = {
        "task": "3.4",
        "state": "Blocked",
        "waitsFor": [{"id": "3.2", "state": "Failed"}, {"id": "3.3"}],
        "next": ["retry task 3.2", "cancel task 3.2"],
        "counts": {"merged": 7},
        "elapsedSeconds": 192,
        "paused": False,
        "brief": "one\n  two",
        "nothing": "",
    }
    assert shown(explain_text(data)).splitlines() == [
        "task:            3.4",
        "state:           ○ Blocked",
        "waits for:",
        "  - id:    3.2",
        "    state: ✘ Failed",
        "  - id: 3.3",
        "next:            retry task 3.2, cancel task 3.2",
        "counts:",
        "  merged: 7",
        "elapsed seconds: 3m12s",
        "paused:          no",
        "brief:",
        "  one",
        "    two",
    ]


def test_why_a_task_is_not_running_has_a_form_of_its_own() -> None:
    data: dict[str, Any] = {
        "task": "4.2",
        "state": "Blocked",
        "reasons": [{"code": "WaitsForTasks", "message": "waits for 3.4", "say": ""}],
        "waitsFor": [
            {"task": "3.4", "state": "Blocked", "waitsFor": ["3.2"]},
            {"task": "3.2", "state": "Failed", "waitsFor": []},
            {"task": "1", "waitsFor": [str(number) for number in range(10)]},
            "nonsense",
        ],
        "causes": [
            {
                "task": "3.2",
                "state": "Failed",
                "code": "TaskFailed",
                "message": "no attempts are left",
                "say": ["retry task 3.2", "cancel task 3.2"],
            },
        ],
    }
    assert shown(explain_text(data)).splitlines() == [
        "○ 4.2 Blocked",
        "    waits for 3.4",
        "",
        "Before it, the nearest first",
        "  ○ 3.4 Blocked  waits for 3.2",
        "  ✘ 3.2 Failed",
        "  ? 1            waits for 0, 1, 2, 3, 4, 5, 6, 7 +2",
        "",
        "Where it hangs",
        "  ✘ 3.2 Failed",
        "    no attempts are left",
        "    say: retry task 3.2",
        "    say: cancel task 3.2",
    ]
    assert shown(explain_text({"reasons": ["odd", {"code": "Only"}]})).splitlines() == [
        *("?  ", "    ", "    Only"),
    ]


def test_states_have_their_signs_wherever_they_stand() -> None:
    data = {"taskStates": {"1.1": "Merged"}, "phase": "Ready"}
    assert shown(explain_text(data)).splitlines() == [
        *("task states:", "  1.1: ✔ Merged", "phase: Ready"),
    ]


def test_long_lists_are_lists_and_endless_ones_end() -> None:
    said = shown(explain_text({"ids": [f"task-{n}" for n in range(300)]})).splitlines()
    assert said[:2] == ["ids:", "  - task-0"]
    assert said[-1] == "  and 100 more"
    deep: Any = "bottom"
    for _ in range(50):
        deep = {"in": deep}
    assert "…" in shown(explain_text(deep))
    assert "…" in shown(explain_text([[[[[[[[[[[1]]]]]]]]]]]))


def test_an_answer_may_be_anything() -> None:
    assert shown(explain_text({})) == "nothing to say\n"
    assert shown(explain_text(["a", None, [1, {"b": []}]])) != ""
    assert shown(explain_text("words")) == "words\n"
    assert words("waitsFor") == "waits for"
    assert words("demo-1") == "demo-1"


def pod() -> dict[str, Any]:
    containers = [{"name": "runner"}, {"name": "agent", "image": "reg/agent:1"}]
    return {"spec": {"containers": containers}, "status": {"phase": "Running"}}


def test_the_shell_opens_in_the_worktree_of_the_instance() -> None:
    arguments = shlex.split(shell_command(sample.instances()[0]))
    assert arguments[:9] == [
        *("kubectl", "exec", "-it", "-n", "default", "shop-1-0", "-c", "agent", "--"),
    ]
    assert arguments[9:] == ["sh", "-c", "cd /swarm/instances/shop-1/tree && exec sh"]


def test_a_hostile_name_stays_one_argument() -> None:
    instance = {
        "metadata": {"name": "x'; rm -rf ~ #", "namespace": "default"},
        "status": {"pod": "p"},
    }
    script = shlex.split(shell_command(instance))[-1]
    assert shlex.split(script) == [
        *("cd", "/swarm/instances/x'; rm -rf ~ #/tree", "&&", "exec", "sh"),
    ]


def test_an_ide_gets_an_address() -> None:
    assert ide_address(sample.instances()[0], pod(), "kind") == (
        "vscode-remote://k8s-container+context=kind+podname=shop-1-0+namespace=default"
        "+name=agent+image=reg/agent:1/swarm/instances/shop-1/tree"
    )
    assert "context" not in ide_address(sample.instances()[0], {})


def test_the_way_in_is_whole_on_a_narrow_terminal() -> None:
    said = shown(open_text(sample.instances()[0], sample.swarm(), pod()), 40)
    assert "cd /swarm/instances/shop-1/tree && exec sh'" in said
    assert "pod       shop-1-0 Running on node-a" in said
    assert "Azure Blue #007fff" in said


def test_an_instance_without_a_pod_has_no_way_in() -> None:
    said = shown(open_text(sample.instances()[0], sample.swarm(), None))
    assert "It has no pod now" in said
    assert "kubectl exec" not in said
