"""Attempts with a real agent container, a real repository and a real agent process."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.agents.command import CommandDriver
from kiro_swarm.agents.driver import AgentTask
from kiro_swarm.cli.runner import make_runner, run_runner
from kiro_swarm.runner.attempt import Failed, Finished, Known, Workshop
from kiro_swarm.runner.cycles import CycleEnd
from kiro_swarm.runner.work import run_attempt
from kiro_swarm.runner.worktree import Cut, Worktree
from kiro_swarm.sandbox.socket import AgentSocket
from kiro_swarm.workspace.locks import LOCK_NAME
from kiro_swarm.workspace.refs import place_name
from kiro_swarm.workspace.room import Room
from tests.support.entrypoint import eventually, python
from tests.unit.runner.fakes import FakeApi, FakeClock, uid
from tests.unit.runner.pods import INTEGRATION, PROGRAM, Pod, config, git

AMEND = ["git", "commit", "--quiet", "--amend", "--message", "mine"]


async def test_work_that_is_there_and_verified_is_finished(pod: Pod) -> None:
    result = await pod.attempt(
        [*PROGRAM, "scripted-agent"], ["grep", "-q", "hello", "greeting.txt"]
    )
    assert isinstance(result, Finished)
    assert result.base == git(pod.mirror, "rev-parse", INTEGRATION)
    assert result.branch == "swarm/demo/1.1/1"
    assert git(pod.repository, "rev-parse", result.branch) == result.commit
    assert git(pod.repository, "rev-parse", f"{result.commit}^") == result.base
    message = git(pod.repository, "log", "-1", "--format=%B", result.commit)
    assert f"Swarm-Task: {uid('1.1')}/1" in message
    assert result.message == "1 file changed, verification passed"
    assert result.seconds > 0
    assert pod.cuts == [Cut(result.base, result.branch)]
    assert "wrote greeting.txt" in pod.said


async def test_an_exit_code_is_not_evidence_of_failure(pod: Pod) -> None:
    result = await pod.attempt([*PROGRAM, "scripted-agent"], task_id="1.2")
    assert isinstance(result, Finished)
    assert result.message == "1 file changed; the agent exited with 3 all the same"


async def test_an_exit_code_is_not_evidence_of_success(pod: Pod) -> None:
    result = await pod.attempt(["echo", "All done! Everything works."])
    assert isinstance(result, Failed)
    assert result.reason == "NoChanges"
    assert result.message == (
        "the agent exited with 0 and left no commit and no change in the worktree"
    )
    assert "All done! Everything works." in result.brief


async def test_what_is_not_taken_is_told(pod: Pod) -> None:
    shell = "echo x > a && git stash -q -u && echo y > b"
    result = await pod.attempt(["sh", "-c", shell])
    assert isinstance(result, Finished)
    assert result.message.startswith("1 file changed; not taken, for it is not on the")
    assert "the stash" in result.message


async def test_a_tick_alone_is_told(pod: Pod) -> None:
    pod.worktree = Worktree(
        pod.socket, "demo-1", str(pod.mirror.parent), PROGRAM, plan="ticked.md"
    )
    result = await pod.attempt(["sh", "-c", "echo x > ticked.md; touch .aider.log"])
    assert isinstance(result, Failed)
    assert result.reason == "NoChanges"
    ticked, _, left_out = result.message.partition("; not counted, ")
    assert ticked.endswith("ticked.md alone is none: the swarm ticks it")
    assert ".aider.log" in left_out


async def test_a_red_verification_goes_into_the_brief(pod: Pod) -> None:
    check = python("print('test_greeting FAILED: \\x1b[31mboom'); raise SystemExit(1)")
    result = await pod.attempt([*PROGRAM, "scripted-agent"], check)
    assert isinstance(result, Failed)
    assert result.reason == "VerificationFailed"
    assert result.message.endswith("` exited with 1")
    assert "test_greeting FAILED: boom" in result.brief


async def test_a_verification_that_cannot_start_is_a_failed_one(pod: Pod) -> None:
    result = await pod.attempt([*PROGRAM, "scripted-agent"], ["no-such-check"])
    assert isinstance(result, Failed)
    assert result.reason == "VerificationFailed"
    assert "`no-such-check` could not be started" in result.message


@pytest.mark.parametrize(
    ("command", "timeout", "idle", "reason", "says"),
    [
        (["sleep", "600"], 0.5, 60, "DeadlineExceeded", "still at work after 0.5 s"),
        (["sleep", "600"], 60, 0.5, "IdleDeadlineExceeded", "no output for 0.5 s"),
        (["x" * 2**17], 60, 60, "AgentNotStarted", "could not be started"),
        (AMEND, 60, 60, "HistoryRewritten", "do not rewrite it"),
    ],
)
async def test_what_an_agent_can_do_wrong_is_told_apart(
    pod: Pod, command: list[str], timeout: float, idle: float, reason: str, says: str
) -> None:
    result = await pod.attempt(command, timeout=timeout, idle=idle)
    assert isinstance(result, Failed)
    assert result.reason == reason
    assert says in result.message
    assert says in result.brief


@pytest.mark.parametrize("cycles", [0, 3])
@pytest.mark.parametrize("name", ["no-such-agent", "/etc/passwd", "/etc", "./notes"])
async def test_a_program_that_is_not_there_is_no_fault_of_a_task(
    pod: Pod, name: str, cycles: int
) -> None:
    result = await pod.attempt([name], cycles=cycles)
    assert isinstance(result, Failed)
    assert result.reason == "AgentNotRunnable"
    assert "could not be started: [Errno" in result.message
    assert "correct spec.template.agent.command, or name an image" in result.message
    assert cycles or result.brief == "", "nothing that an agent could mend"


@pytest.mark.parametrize("cycles", [0, 3])
@pytest.mark.parametrize("shell", ["no-such-agent --now", "/etc/passwd", "exit 126"])
async def test_a_command_of_a_shell_that_lacks_its_program_is_no_fault_of_a_task(
    pod: Pod, shell: str, cycles: int
) -> None:
    result = await pod.attempt(["sh", "-c", shell], cycles=cycles)
    assert isinstance(result, Failed)
    assert result.reason == "AgentProgramMissing"
    assert "exited with 12" in result.message
    assert "correct spec.template.agent.command, or name an image" in result.message
    if shell.startswith("no"):
        assert "no-such-agent: not found" in result.message


async def test_where_an_agent_has_worked_such_an_end_is_charged(pod: Pod) -> None:
    """The program of the template is there, so it is what this task made of it."""
    known = Known()
    await pod.attempt(["sh", "-c", "exit 127"], known=known)
    assert not known.runs
    await pod.attempt(["true"], known=known)
    result = await pod.attempt(["sh", "-c", "./missing-tests"], known=known)
    assert isinstance(result, Failed)
    assert result.reason == "NoChanges"


async def test_what_such_a_command_has_left_is_taken(pod: Pod) -> None:
    result = await pod.attempt(["sh", "-c", "echo x > a; no-such-formatter"])
    assert isinstance(result, Finished)
    assert "the agent exited with 127 all the same" in result.message


async def test_what_an_agent_did_to_its_own_program_is_its_fault(pod: Pod) -> None:
    """In the first cycle it was there."""
    source = pod.mirror.parents[1] / "source"
    program = source / "agent.sh"
    program.write_text("#!/bin/sh\nrm agent.sh\ngit rm -q --cached agent.sh\n")
    program.chmod(0o755)
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "agent")
    git(source, "push", "-q", str(pod.mirror), f"HEAD:refs/heads/{INTEGRATION}")
    result = await pod.attempt(["./agent.sh"], ["false"], cycles=3)
    assert isinstance(result, Failed)
    assert result.reason == "AgentNotStarted"


async def test_the_cycles_of_beast_mode_go_on_from_one_another(pod: Pod) -> None:
    """The check leaves litter and a commit of its own, which are never taken in."""
    verification = (
        "echo litter > litter.txt; git commit --quiet --allow-empty --message litter; "
        "git checkout --quiet --detach; test 3 = $(wc -l < lines.txt) || exit 7"
    )
    agent = 'echo "$KIRO_TASK_MODE $KIRO_TASK_CYCLE" >> lines.txt; cat > /dev/null'
    result = await pod.attempt(
        ["sh", "-c", agent], ["sh", "-c", verification], cycles=5
    )
    assert isinstance(result, Finished)
    assert result.message == "1 file changed, verification passed; cycle 3 of 5"
    assert [end.outcome for end in pod.cycles] == [
        "VerificationFailed",
        "VerificationFailed",
        "Checked",
    ]
    line = git(pod.repository, "log", "--format=%H", f"{result.base}..{result.commit}")
    assert line.split() == [end.commit for end in reversed(pod.cycles)]
    shown = git(pod.repository, "show", f"{result.commit}:lines.txt")
    assert shown == "BeastMode 1\nBeastMode 2\nBeastMode 3"
    assert "cycle 2 of 5: verifying" in pod.said
    assert len(pod.cuts) == 1


async def test_commits_that_change_no_file_are_no_progress(pod: Pod) -> None:
    agent = (
        "test -e made || date +%N > made; "
        "git add made; git commit --quiet --allow-empty --message again"
    )
    result = await pod.attempt(["sh", "-c", agent], ["false"], cycles=5)
    assert isinstance(result, Failed)
    assert result.reason == "NoProgress"
    assert len({end.commit for end in pod.cycles}) == 2


async def test_a_missing_mirror_is_the_workspaces_failure(pod: Pod) -> None:
    pod.mirror.rename(pod.mirror.with_name("gone.git"))
    result = await pod.attempt(["true"])
    assert isinstance(result, Failed)
    assert result.reason == "WorkspaceFailed"
    assert "repo.git" in result.message
    assert pod.cuts == []


async def test_a_container_that_dies_under_the_agent_is_a_lost_agent(pod: Pod) -> None:
    command = ["sh", "-c", "echo $$; exec sleep 600"]
    attempt = asyncio.ensure_future(pod.attempt(command))
    await asyncio.to_thread(eventually, lambda: pod.said != [], "the agent is up")
    pod.server.process.kill()
    os.kill(int(pod.said[0]), signal.SIGKILL)
    result = await attempt
    assert isinstance(result, Failed)
    assert result.reason == "AgentLost"
    assert "the connection was cut" in result.message


async def test_a_container_that_does_not_come_is_waited_for_then_given_up(
    tmp_path: Path,
) -> None:
    socket = AgentSocket(str(tmp_path / "none.sock"))
    clock = FakeClock()
    workshop = Workshop(
        socket,
        Worktree(socket, "demo-1"),
        CommandDriver(["true"], 1),
        None,
        INTEGRATION,
        clock,
        1,
    )
    task = AgentTask("demo", "demo-1", "1.1", "Greet", 1, "b", "/tree")
    cuts: list[Cut] = []

    async def on_cut(cut: Cut) -> None:
        cuts.append(cut)

    async def on_cycle(_: CycleEnd) -> None:
        raise AssertionError("no cycle was asked for")

    attempt = asyncio.ensure_future(
        run_attempt(workshop, task, "uid/1", on_cut, lambda _: None, on_cycle)
    )
    while not attempt.done():
        await clock.advance(1)
        await asyncio.sleep(0.001)
    assert clock.seconds >= 60
    failed = await attempt
    assert isinstance(failed, Failed)
    assert failed.reason == "AgentUnavailable"
    message = "the agent container could not be used for 60 s: no agent container at "
    assert failed.message.startswith(message)
    assert cuts == []


async def test_the_whole_runner_does_a_bound_task_and_ends_on_sigterm(pod: Pod) -> None:
    api = FakeApi("demo-1")
    api.bind("1.1", attempt=1)
    settings = config([*PROGRAM, "scripted-agent"], heartbeatSeconds=1)
    runner = asyncio.ensure_future(
        run_runner(make_runner(api, settings, pod.socket, pod.worktree))
    )
    await asyncio.to_thread(
        eventually, lambda: api.status("1.1")["state"] == "Done", "the task is done"
    )
    api.bind("1.3")
    await asyncio.to_thread(
        eventually, lambda: api.status("1.3")["state"] == "Running", "the next runs"
    )
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(runner, 20)
    assert api.status("1.3")["reason"] in ("RunnerStopped", "Checked")
    assert api.leases[0] is True
    assert api.leases[-1] is False


async def test_a_conflict_is_told_while_the_agent_works_and_holds_up_nothing(
    pod: Pod,
) -> None:
    api = FakeApi("demo-1")
    api.bind("1.1", attempt=1)
    agent = "echo mine > greeting.txt; until test -e go; do sleep 0.1; done"
    settings = config(["sh", "-c", agent], heartbeatSeconds=1)
    runner = make_runner(api, settings, pod.socket, pod.worktree)
    running = asyncio.ensure_future(runner.run())
    tree = Path(pod.worktree.tree)
    await asyncio.to_thread(
        eventually, lambda: (tree / "greeting.txt").exists(), "the agent wrote"
    )
    source = pod.mirror.parents[1] / "source"
    (source / "greeting.txt").write_text("theirs\n")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "theirs")
    git(source, "push", "-q", str(pod.mirror), f"HEAD:refs/heads/{INTEGRATION}")
    await asyncio.to_thread(
        eventually, lambda: "conditions" in api.status("1.1"), "it is told"
    )
    (condition,) = api.status("1.1")["conditions"]
    assert (condition["type"], condition["status"]) == ("ConflictPredicted", "True")
    assert condition["message"].endswith("the integration branch in greeting.txt")
    assert api.status("1.1")["state"] == "Running"
    (tree / "go").touch()
    await asyncio.to_thread(
        eventually, lambda: api.status("1.1")["state"] == "Done", "the task is done"
    )
    runner.stop()
    await asyncio.wait_for(running, 20)
    told = [patch for _, patch in api.writes if "conditions" in patch]
    assert len(told) == 1, "one answer, one write"


async def test_good_work_outlives_that_its_folder_is_emptied_for_room(
    pod: Pod,
) -> None:
    api = FakeApi("demo-1")
    api.bind("1.1", attempt=1)
    api.bind("1.2", attempt=1)
    fills = "echo big > .gitignore; head -c 300000 /dev/urandom > big; sync big"
    agent = f'[ "$KIRO_TASK_ID" = 1.2 ] || {{ {fills}; }}; echo x > new.txt'
    settings = config(["sh", "-c", agent], heartbeatSeconds=1)

    def room(place: Path) -> Room:
        assert place == Path(pod.worktree.folder)
        return Room(used=99 * 200_000, free=200_000)

    made = make_runner(api, settings, pod.socket, pod.worktree, room)
    running = asyncio.ensure_future(made.run())
    await asyncio.to_thread(
        eventually, lambda: api.status("1.2")["state"] == "Done", "the next is done"
    )
    left = [name for name in os.listdir(pod.worktree.folder) if name != LOCK_NAME]
    made.stop()
    await asyncio.wait_for(running, 20)
    assert api.status("1.1")["state"] == "Done"
    assert left == [], "room was given back"
    for name in ("1.1", "1.2"):
        kept = Path(pod.worktree.shelf) / place_name(uid(name), 1) / "repo.git"
        assert git(kept, "rev-parse", "finished") == api.status(name)["commit"]


def test_two_tasks_differ_only_in_what_names_them() -> None:
    settings = config(["agent"], verification={"command": ["check"]})
    task: Any = {
        "metadata": {"name": "demo-core-1", "uid": "u"},
        "spec": {"id": "CORE-1", "title": "T", "requirements": ["1.1"]},
        "status": {"attempt": 2, "brief": "red"},
    }
    made = settings.agent_task(task, "/tree")
    assert made.branch.startswith("swarm/demo/core-1-")
    assert made.branch.endswith("/2")
    assert made == replace(
        AgentTask("demo", "demo-1", "CORE-1", "T", 2, made.branch, "/tree"),
        requirements=("1.1",),
        brief="red",
    )
    driver = settings.driver()
    assert (driver.command, driver.env) == (["agent"], {"LANG": "C.UTF-8"})
    assert driver.idle_timeout_seconds == 600
    beast: Any = {**task, "spec": {**task["spec"], "mode": "BeastMode"}}
    assert settings.agent_task(beast, "/tree") == replace(made, cycles=5)
