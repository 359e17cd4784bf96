"""A request that the agent container refuses: the runner learns why, however quick it is."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from kiro_swarm.sandbox.handshake import answer_line
from kiro_swarm.sandbox.socket import AgentSocket


async def test_who_is_refused_before_it_has_asked_learns_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by an entrypoint that is quicker than the runner: it answers, closes, and is gone."""
    path = str(tmp_path / "s")
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)

        async def refused(connection: socket.socket, address: str) -> None:
            await connect(connection, address)
            with listener.accept()[0] as taken:
                taken.sendall(answer_line("request: 32 others are served"))

        monkeypatch.setattr(loop, "sock_connect", refused)
        result = await AgentSocket(path).exec(["true"], cwd="/", timeout_seconds=60)
    assert (result.reason, result.succeeded) == ("NotStarted", False)
    assert "32 others are served" in result.message
