"""``kiro-swarm``: help without weight, clear words for bad options, whole processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from kiro_swarm import __version__
from kiro_swarm.cli.jobs import inspect, integrate, prepare, sync
from kiro_swarm.cli.main import COMMANDS, main
from kiro_swarm.cli.operator import operator
from kiro_swarm.cli.runner import AgentLink, runner
from kiro_swarm.cluster.resources import LEASES, SWARMS
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import entrypoint
from tests.support.fake_api import fake_api, until
from tests.unit.reconcile.surroundings import NAMESPACE, body, swarm_spec

OPERATOR = Path(__file__).resolve().parents[3] / "operator"
HEAVY = {"aiohttp", "kopf", "kubernetes", "kubernetes_asyncio", "git", "pydantic"}


def loaded(*arguments: str) -> set[str]:
    """The heavy modules that a command loads."""
    code = (
        "import sys\nfrom kiro_swarm.cli.main import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print('modules', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(OPERATOR)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = done.stdout.splitlines()[-1].split()
    assert "kiro_swarm.cli.main" in modules
    return HEAVY & set(modules)


def test_help_loads_nothing_heavy() -> None:
    assert loaded("--help") == set()
    assert loaded("--version") == set()


def test_a_command_loads_only_what_it_needs() -> None:
    assert not loaded("agent-entrypoint", "--help") & {"kopf", "git", "kubernetes"}
    assert "kopf" not in loaded("prepare", "--help")


def test_a_worktree_command_which_each_attempt_starts_loads_git_alone() -> None:
    assert loaded("workspace", "cut", "--help") == {"git"}


def test_help_names_every_command_and_every_command_can_be_loaded() -> None:
    said = CliRunner().invoke(main, ["--help"]).output
    for name, (_, _, words) in COMMANDS.items():
        assert name in said
        assert words in said
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0
    assert __version__ in CliRunner().invoke(main, ["--version"]).output


def test_an_unknown_command_is_refused() -> None:
    done = CliRunner().invoke(main, ["dance"])
    assert done.exit_code == 2
    assert "No such command 'dance'" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--image"),
        (["--image=x", "--repository-schemes=ftp"], "ftp"),
        (["--image=x", "--repository-schemes= , "], "none given"),
        (["--image=x", "--workers=0"], "workers"),
        (["--image=x", "--port=many"], "--port"),
        (["--image=x", "--image-pull-policy=Sometimes"], "Sometimes"),
        (["--image=x", "--log-level=LOUD"], "LOUD"),
    ],
)
def test_a_bad_option_of_the_operator_is_named(
    arguments: list[str], words: str
) -> None:
    done = CliRunner().invoke(operator, arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("job", "arguments"),
    [
        (prepare, []),
        (integrate, []),
        (sync, ["--command-uid=1"]),
        (inspect, ["diff", "--task=t", "--command=c", "--command-uid=1"]),
    ],
)
async def test_a_job_outside_of_its_pod_says_what_is_missing(
    job: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIRO_SWARM", raising=False)
    done = await invoked(job, *arguments)
    assert done.exit_code == 2
    assert "KIRO_SWARM" in done.output
    assert "is not set; the operator sets it" in done.output


def test_a_runner_outside_of_its_pod_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KIRO_SWARM", raising=False)
    done = CliRunner().invoke(runner, [])
    assert done.exit_code == 2
    assert "KIRO_SWARM is not set" in done.output


async def invoked(command: click.Command, *arguments: str) -> Result:
    """A command that makes an event loop of its own, in a thread: it takes nobody's."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, CliRunner().invoke, command, arguments)


async def started(*arguments: str, **env: str) -> asyncio.subprocess.Process:
    """``kiro-swarm`` as a process of its own."""
    code = "from kiro_swarm.cli.main import main; main()"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *arguments),
        env={**os.environ, "PYTHONPATH": str(OPERATOR), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Ask it to end; its exit status and what it said."""
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_operator_runs_until_it_is_told_to_end(tmp_path: Path) -> None:
    async with fake_api() as api:
        swarm = body(SWARMS, "demo", swarm_spec())
        api.store.create(SWARMS, NAMESPACE, swarm)
        process = await started(
            *("operator", "--image=x", "--port=0", "--leader-namespace=system"),
            KUBECONFIG=str(api.kubeconfig(tmp_path)),
        )
        await until(lambda: "POST kiroinstances/demo-2" in api.writes)
        code, said = await ended(process)
        lease = api.store.read(LEASES, "system", "kiro-swarm-operator")
    assert code == 0, said
    assert "Traceback" not in said
    assert lease["spec"]["holderIdentity"] == "", "the next one need not wait"


#: A Job's process, whose pod has its termination message elsewhere.
JOB = """
import sys
from pathlib import Path
from kiro_swarm.cli.jobs import work
from kiro_swarm.jobs import process
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.prepare import prepare

process.run(work(prepare, JobEnvironment(*sys.argv[1:4], termination_message=Path(sys.argv[4]))))
"""


async def test_a_job_whose_api_server_is_away_says_so(tmp_path: Path) -> None:
    async with fake_api() as api:
        gone = str(api.kubeconfig(tmp_path))
    words = tmp_path / "words"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", JOB, "demo", NAMESPACE, "u", str(words)),
        env={**os.environ, "PYTHONPATH": str(OPERATOR), "KUBECONFIG": gone},
    )
    assert await asyncio.wait_for(process.wait(), 60) == 1
    assert json.loads(words.read_text())["reason"] == "ApiUnavailable"


async def test_a_runner_watches_its_tasks_until_it_is_told_to_end(
    tmp_path: Path,
) -> None:
    config = {
        "agent": {"command": ["true"]},
        "integrationBranch": "swarm/demo/integration",
    }
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as name,
        entrypoint(Path(name)) as agent,
    ):
        async with fake_api() as api:
            process = await started(
                *("runner", f"--socket={agent.socket}", "--port=0"),
                KUBECONFIG=str(api.kubeconfig(tmp_path)),
                KIRO_SWARM="demo",
                KIRO_INSTANCE="demo-1",
                KIRO_INSTANCE_UID="uid-1",
                KIRO_NAMESPACE=NAMESPACE,
                KIRO_CONFIG=json.dumps(config),
            )
            await until(lambda: any("watch=true" in r for r in api.requests))
            code, said = await ended(process)
    assert code == 0, said
    assert any("fieldSelector=status.instance" in request for request in api.requests)


async def test_a_runner_is_ready_when_its_agent_container_answers() -> None:
    with tempfile.TemporaryDirectory(prefix="kiro-") as name:
        link = AgentLink(AgentSocket(f"{name}/agent.sock"))
        assert link.health().reasons == ("the agent container was not asked yet",)
        pinging = asyncio.ensure_future(link.run())
        await until(lambda: "no agent container at" in link.health().reasons[0])
        with entrypoint(Path(name)):
            await until(lambda: link.health().ready)
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)


def test_nothing_that_it_starts_writes_a_core_file() -> None:
    """A git that dies while it talks to a server has the password in its memory."""
    code = (
        "import resource, subprocess, sys\n"
        "from kiro_swarm.cli.main import main\n"
        "_, most = resource.getrlimit(resource.RLIMIT_CORE)\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most))\n"
        "try: main(['prepare', '--help'])\nexcept SystemExit: pass\n"
        "subprocess.run(['sh', '-c', 'ulimit -S -c'], check=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(OPERATOR)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == "0"
