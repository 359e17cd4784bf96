"""A gate container of another release: named, and not waited for."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace

from kiro_swarm.jobs.integrate import integrate
from tests.unit.jobs.work import Job


async def test_a_gate_container_of_an_earlier_release_is_named_and_not_waited_for(
    job: Job,
) -> None:
    async def refuse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(b'{"error": "protocol: Extra inputs"}\n')
        writer.close()

    # Far above the test's own time limit: who waits for it fails.
    job.limit(gate_start_seconds=3600.0)
    job.apply(integration={"gates": [{"name": "tests", "command": ["true"]}]})
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    with tempfile.TemporaryDirectory(prefix="kiro-") as folder:
        socket = f"{folder}/agent.sock"
        server = await asyncio.start_unix_server(refuse, socket)
        env = replace(job.env, socket=socket)
        assert await asyncio.wait_for(integrate(job.client, env), 20) == 1
        server.close()
        await server.wait_closed()
    assert job.words()["reason"] == "GateUnavailable"
    assert "container speaks version 1 " in job.words()["message"]
    assert "agent image" in job.words()["message"]
    assert job.status("1.1")["state"] == "Done"
