"""No gate finds anything of the gates of another candidate."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from kiro_swarm.api.swarm import Gate
from kiro_swarm.jobs.gates import ContainerGates
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import entrypoint
from tests.unit.jobs.work import Job

PROGRAM = [sys.executable, "-c", "from kiro_swarm.cli.main import main; main()"]
# Says what it finds, then leaves something in each place, and a process.
GATE = (
    'ls -A "$0" "$1" "$(dirname $PWD)"; test -z "$(ls -A "$0"; ls -A "$1")" || exit 1; '
    'touch "$0/left" "$1/left" ../left; echo "exit 0" > "$0/sh"; chmod +x "$0/sh"; '
    "setsid sleep 600 > /dev/null 2>&1 &"
)


async def test_a_gate_decides_about_its_own_candidate_alone(job: Job) -> None:
    job.repositories.prepare()
    head = job.repositories.head()
    home, tmp, work = (job.folder / name for name in ("home", "tmp", "work"))
    for place in (home, tmp, work):
        place.mkdir()
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as folder,
        entrypoint(Path(folder), scratch=(home, tmp, work)) as gate,
    ):
        made = ContainerGates(
            AgentSocket(gate.socket),
            [Gate(name="tests", command=["sh", "-c", GATE, str(home), str(tmp)])],
            str(job.repositories.mirror),
            asyncio.get_running_loop(),
            tree=str(work / "tree"),
            program=PROGRAM,
        )
        for _ in range(2):
            verdict = await asyncio.get_running_loop().run_in_executor(
                None, made.check, head
            )
            assert verdict.passed, verdict.output
        assert sorted(path.name for path in work.iterdir()) == ["left", "tree"]
