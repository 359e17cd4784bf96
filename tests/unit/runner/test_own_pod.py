"""An instance has one pod after another: a runner keeps to what is bound to its own."""

from __future__ import annotations

from tests.unit.runner.fakes import settle
from tests.unit.runner.test_loop import DONE, Bench, running


async def test_a_task_rebound_to_the_same_instance_starts_anew() -> None:
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.bind("1.1", attempt=2)
        await settle()
        assert bench.stopped == [("1.1", 1)]
        assert bench.begun == [("1.1", 1), ("1.1", 2)]


async def test_what_is_bound_to_the_next_pod_of_the_instance_is_not_taken() -> None:
    """This pod was given up for lost, and its process lives on behind a broken network."""
    bench = Bench("given up")
    async with running(bench):
        bench.api.bind("1.1")
        bench.api.bind("1.2", state="Running")
        await settle()
    assert (bench.begun, bench.api.writes, bench.api.leases) == ([], [], [])


async def test_a_report_about_what_the_next_pod_has_is_not_written() -> None:
    """The watch is deaf, and the attempt number alone would let the report through."""
    bench = Bench()
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        bench.api.deafen_watch()
        bench.api.put("1.1", podUid="the next one's")
        await bench.end(DONE)
    assert bench.states_written() == ["Running"]


async def test_a_pod_that_does_not_know_its_uid_goes_by_the_instance() -> None:
    """Those of an older release: the operator does not replace them."""
    bench = Bench("")
    async with running(bench):
        bench.api.bind("1.1")
        await settle()
        await bench.end(DONE)
    assert bench.states_written() == ["Running", "Done"]
