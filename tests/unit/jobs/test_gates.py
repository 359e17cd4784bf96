"""How gates fail, and whose fault that is: the work, its container, or nobody's."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.api.swarm import Gate
from kiro_swarm.jobs.gates import ContainerGates
from kiro_swarm.jobs.integrate import status_after
from kiro_swarm.sandbox.socket import AgentSocket
from kiro_swarm.workspace.errors import GateLost, GateUnavailable
from kiro_swarm.workspace.outcomes import Candidate, GateFailed
from tests.support.entrypoint import Entrypoint, entrypoint
from tests.unit.jobs.work import Job
from tests.unit.workspace.hostile import a_name_of_301_bytes
from tests.unit.workspace.repositories import git

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
PROGRAM = [sys.executable, "-c", "from kiro_swarm.cli.main import main; main()"]


def gates(
    job: Job, gate: Entrypoint, *commands: list[str], seconds: int = 60
) -> ContainerGates:
    wanted = [
        Gate(name=f"gate-{n}", command=c, timeout_seconds=seconds)
        for n, c in enumerate(commands)
    ]
    return ContainerGates(
        AgentSocket(gate.socket),
        wanted,
        str(job.repositories.mirror),
        asyncio.get_running_loop(),
        tree=str(job.folder / "gate-tree"),
        program=PROGRAM,
    )


def taken(job: Job, candidate: Candidate) -> None:
    """Bring the work into the mirror as it is."""
    source = f"{candidate.instance_dir}/repo.git"
    git(job.repositories.mirror, "fetch", "-q", source, candidate.commit)


async def check(made: ContainerGates, commit: str) -> Any:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, made.check, commit)


async def test_gates_of_a_job_that_ends_say_nothing_about_the_work(
    job: Job, gate: Entrypoint
) -> None:
    """The thread of the train is told so, and begins nothing again."""
    job.repositories.prepare()
    made = gates(job, gate, ["sleep", "60"])
    checking = asyncio.ensure_future(check(made, job.repositories.head()))
    others: set[Any] = set()
    while not others:
        await asyncio.sleep(0.05)
        running = {each for each in asyncio.all_tasks() if "_check" in repr(each)}
        others = running - {checking}
    for each in others:
        each.cancel()
    with pytest.raises(GateUnavailable, match="asked to end"):
        await asyncio.wait_for(checking, 30)


async def test_gates_run_on_the_merged_tree_and_the_first_red_one_decides(
    job: Job, gate: Entrypoint
) -> None:
    job.repositories.prepare()
    head = job.repositories.head()
    green = ["grep", "-q", "two", "app.py"]
    assert (await check(gates(job, gate, green), head)).passed
    red = ["sh", "-c", "echo $KIRO_GATE $KIRO_COMMIT; exit 3"]
    verdict = await check(gates(job, gate, green, red, ["false"]), head)
    assert (verdict.passed, verdict.gate) == (False, "gate-1")
    assert f"gate-1 {head}" in verdict.output
    assert "3" in verdict.output.splitlines()[-1]


async def test_without_gates_every_commit_passes(job: Job, gate: Entrypoint) -> None:
    assert (await check(gates(job, gate), "not even a commit")).passed


async def test_a_tree_that_cannot_be_checked_out_is_no_verdict(
    job: Job, gate: Entrypoint
) -> None:
    job.repositories.prepare()
    with pytest.raises(GateUnavailable, match="cannot check out"):
        await check(gates(job, gate, ["true"]), "f" * 40)


@pytest.mark.parametrize(
    ("command", "seconds", "reason", "said"),
    [
        (["sh", "-c", "exit 1"], 60, "GateFailed", "gate-0 exited with 1"),
        (["sh", "-c", "kill -9 $$"], 60, "GateFailed", "signal 9"),
        (["sleep", "60"], 1, "GateTimedOut", "gate-0 was ended after 1 s"),
        # It was there before this work.
        (["sh", "-c", "test -e app.py || exit 127"], 60, "GateFailed", "with 127"),
    ],
)
async def test_how_a_gate_fails_is_said(
    job: Job, gate: Entrypoint, command: list[str], seconds: int, reason: str, said: str
) -> None:
    job.repositories.prepare()
    head = job.repositories.head()
    tree = git(job.repositories.mirror, "mktree")
    commit = git(job.repositories.mirror, "commit-tree", tree, "-p", head, "-m", "x")
    made = gates(job, gate, command, seconds=seconds)
    verdict = await check(made, commit)
    assert (verdict.passed, verdict.reason) == (False, reason)
    assert said in verdict.output
    word = status_after(
        {"spec": {"maxAttempts": 3}, "status": {"state": "Done", "attempt": 1}},  # type: ignore[typeddict-item]
        GateFailed(verdict.gate, "brief", verdict.reason, verdict.said),
        NOW,
    )
    assert word["reason"] == reason
    assert word["message"].startswith("attempt 1: gate gate-0 ")
    assert said.replace("gate-0 ", "") in word["message"]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (r"one\n\033[31mE  assert 1 == 2\033[0m\n\n", "E assert 1 == 2"),
        (r"10%%\r50%%\rdisk full\r\n", "disk full"),
        (r"1 failed\n========\n\n", "1 failed"),
        (r"\xe2\x80\xaetxt.exe\x00 \xff", "txt.exe"),
        (r"\033]0;title\007\n \t\n", ""),
    ],
)
async def test_the_last_line_of_a_red_gate_is_said(
    job: Job, gate: Entrypoint, output: str, line: str
) -> None:
    job.repositories.prepare()
    command = ["bash", "-c", f"printf '{output}'; exit 3"]
    verdict = await check(gates(job, gate, command), job.repositories.head())
    expected = f"(exited with 3): {line}" if line else "(exited with 3)"
    assert verdict.said.rstrip("\ufffd ") == expected


async def test_what_is_said_of_a_red_gate_is_short(job: Job, gate: Entrypoint) -> None:
    job.repositories.prepare()
    command = ["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; exit 3"]
    verdict = await check(gates(job, gate, command), job.repositories.head())
    assert verdict.said.startswith("(exited with 3): xxx")
    assert len(verdict.said) == 200


@pytest.mark.parametrize(
    "command",
    [
        ["no-such-program"],
        ["/etc/passwd"],
        ["sh", "-c", "no-such-program"],
        ["./not-in-the-repository"],
    ],
    ids=str,
)
async def test_a_gate_that_cannot_be_run_is_nobody_s_work(
    job: Job, gate: Entrypoint, command: list[str]
) -> None:
    job.repositories.prepare()
    candidate = job.repositories.work({"a": "1"})
    taken(job, candidate)
    with pytest.raises(GateUnavailable) as raised:
        await check(gates(job, gate, command), candidate.commit)
    assert raised.value.reason == "GateNotRunnable"
    assert command[0] in raised.value.message


async def test_a_tree_that_only_this_work_makes_impossible_is_its_verdict(
    job: Job, gate: Entrypoint
) -> None:
    job.repositories.prepare()
    candidate, _ = a_name_of_301_bytes(job.repositories)
    taken(job, candidate)
    verdict = await check(gates(job, gate, ["true"]), candidate.commit)
    assert (verdict.passed, verdict.reason) == (False, "CheckoutFailed")


async def test_a_gate_container_that_is_lost_may_be_the_work_s_doing(
    job: Job, tmp_path: Path
) -> None:
    job.repositories.prepare()
    candidate = job.repositories.work({"a": "1"})
    taken(job, candidate)
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as name,
        entrypoint(Path(name)) as running,
    ):
        kill = ["sh", "-c", f"kill -9 {running.process.pid}; sleep 60"]
        made = gates(job, running, kill)
        made.again_seconds = 0.2
        with pytest.raises(GateLost, match="was lost"):
            await check(made, candidate.commit)
