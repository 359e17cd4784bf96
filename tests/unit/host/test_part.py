"""How parts are started, watched over and stopped."""

from __future__ import annotations

import asyncio
import logging
from typing import Callable, Optional

import pytest

from kiro_swarm.host.part import first_of, run_parts
from kiro_swarm.observe.health import ReflectiveModule
from tests.support.fake_api import until


class Told(ReflectiveModule):
    """A part that writes down what happens to it, and ends when it is told to."""

    def __init__(self, name: str, diary: list[str], begins: bool = True) -> None:
        super().__init__(name)
        self._diary, self._begins = diary, begins
        self.end = asyncio.Event()
        self.error: Optional[Exception] = None

    async def run(self, begun: Callable[[], None]) -> None:
        self._diary.append(f"{self.name} starts")
        await asyncio.sleep(0)
        self._diary.append(f"{self.name} has begun")
        if self._begins:
            begun()
        try:
            await self.end.wait()
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(0)
            self._diary.append(f"{self.name} stops")


UP = ["a starts", "a has begun", "b starts", "b has begun"]
DOWN = ["b stops", "a stops"]


async def test_parts_start_in_their_order_and_stop_in_the_opposite_one() -> None:
    diary: list[str] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    parts = [Told("a", diary), Told("b", diary)]
    running = asyncio.ensure_future(run_parts(parts, stop, ready))
    await asyncio.wait_for(ready.wait(), 30)
    assert diary == UP
    stop.set()
    await asyncio.wait_for(running, 30)
    assert diary == UP + DOWN


async def test_what_comes_after_a_part_that_never_begins_does_not_start() -> None:
    diary: list[str] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    parts = [Told("a", diary), Told("b", diary, begins=False), Told("c", diary)]
    running = asyncio.ensure_future(run_parts(parts, stop, ready))
    await until(lambda: diary == UP)
    stop.set()
    await asyncio.wait_for(running, 30)
    assert diary == UP + DOWN
    assert not ready.is_set()


@pytest.mark.parametrize("error", [None, ZeroDivisionError("a defect")])
async def test_a_part_that_ends_by_itself_stops_the_process(
    error: Optional[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    diary: list[str] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    parts = [Told("a", diary), Told("b", diary), Told("c", diary)]
    running = asyncio.ensure_future(run_parts(parts, stop, ready))
    await asyncio.wait_for(ready.wait(), 30)
    parts[1].error = error
    with caplog.at_level(logging.ERROR):
        parts[1].end.set()
        await asyncio.wait({running}, timeout=30)
    assert running.done()
    assert running.exception() is error
    assert diary[-3:] == ["b stops", "c stops", "a stops"]
    assert "b ended by itself" in caplog.text
    assert stop.is_set(), "whoever shares the event is told"


async def test_an_error_while_stopping_is_told_and_the_others_still_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stubborn(Told):
        async def run(self, begun: Callable[[], None]) -> None:
            try:
                await super().run(begun)
            except asyncio.CancelledError:
                raise OSError("no clean end") from None

    diary: list[str] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    parts = [Told("a", diary), Stubborn("b", diary)]
    running = asyncio.ensure_future(run_parts(parts, stop, ready))
    await asyncio.wait_for(ready.wait(), 30)
    stop.set()
    with pytest.raises(OSError, match="no clean end"):
        await asyncio.wait_for(running, 30)
    assert diary == UP + DOWN
    assert "b ended by itself" not in caplog.text
    assert "b did not stop well" in caplog.text


async def test_the_first_of_several_ends_the_others_and_its_error_is_raised() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("slow")

    async def wrong() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    await first_of(slow(), asyncio.sleep(0))
    with pytest.raises(ZeroDivisionError):
        await first_of(slow(), wrong())
    assert ended == ["slow", "slow"]
