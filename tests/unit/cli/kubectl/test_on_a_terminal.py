"""What a person at a terminal sees: the live view, the spinner, colours or none."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from typing import Callable

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS
from tests.support.fake_api import FakeApi, until
from tests.unit.cli.kubectl.plugin import (
    NAMESPACE,
    next_command,
    put_instance,
    put_swarm,
    put_task,
    set_status,
    watched,
)

_MAIN = "from kiro_swarm.cli.kubectl.main import main; main()"


class Terminal:
    """The plugin as a process whose input and output are a terminal."""

    def __init__(self) -> None:
        self.text = ""
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Future[None]

    async def start(self, *words: str, **environment: str) -> None:
        """Start it."""
        mine, its = pty.openpty()
        path = os.pathsep.join(filter(None, sys.path))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _MAIN, *words),
            env={
                **{k: v for k, v in os.environ.items() if k != "NO_COLOR"},
                **{"PYTHONPATH": path, "TERM": "xterm-256color", **environment},
            },
            stdin=its,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        loop = asyncio.get_running_loop()
        self._reading = loop.run_in_executor(None, self._read, mine)

    def _read(self, mine: int) -> None:
        """Until nobody writes any more, which Linux says by an error."""
        try:
            while True:
                self.text += os.read(mine, 65536).decode("utf-8", "replace")
        except OSError:
            os.close(mine)

    async def shows(self, holds: Callable[[str], bool]) -> None:
        """Wait until it has shown something."""
        await until(lambda: holds(self.text) or self._reading.done())
        assert holds(self.text), self.text

    async def ended(self) -> int:
        """Its exit status."""
        await asyncio.wait_for(self._reading, 30)
        return await self._process.wait()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


async def test_watch_draws_again_when_something_changes_and_leaves_the_last_picture(
    api: FakeApi, terminal: Terminal
) -> None:
    put_swarm(api, message="going on")
    put_task(api, "1", "Running", instance="demo-1")
    put_instance(api, "demo-1", "demo-1-0")
    await terminal.start("watch")
    await terminal.shows(lambda text: "going on" in text and "Title of 1" in text)
    await until(lambda: sum("watch=true" in r for r in api.requests) == 4)
    put_task(api, "2", "Ready")
    await terminal.shows(lambda text: "Title of 2" in text)
    terminal.interrupt()
    assert await terminal.ended() == 130
    left = terminal.text.rpartition("\x1b[?1049l")
    assert left[1], "it drew on a screen of its own"
    assert "Title of 2" in left[2]


async def test_a_spinner_shows_the_progress(api: FakeApi, terminal: Terminal) -> None:
    put_swarm(api)
    await terminal.start("status", "swarm")
    command = await next_command(api)
    await watched(api)
    set_status(api, command, phase="Running", message="thinking about it")
    await terminal.shows(lambda text: "thinking about it" in text)
    set_status(api, command, phase="Succeeded", message="all is well")
    assert await terminal.ended() == 0
    assert terminal.text.endswith("all is well\r\n")


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)]
)
async def test_a_diff_has_colours_unless_nobody_wants_them(
    api: FakeApi, terminal: Terminal, environment: dict[str, str], coloured: bool
) -> None:
    put_swarm(api)
    data = {"diff": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"}
    await terminal.start("diff", "2.1", **environment)
    reference = {"configMap": "c-result", "key": "diff"}
    asked = await next_command(api)
    owner = {"uid": asked["metadata"]["uid"]}
    metadata = {"name": "c-result", "ownerReferences": [owner]}
    api.store.create(CONFIG_MAPS, NAMESPACE, {"metadata": metadata, "data": data})
    set_status(api, asked, phase="Succeeded", dataRef=reference)
    assert await terminal.ended() == 0
    assert "+new" in terminal.text
    assert ("\x1b[32m" in terminal.text) is coloured
