"""A published graph is read in pieces, and means what it means when it is read at once."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kiro_swarm.api.bounded_json import BoundsError, check_json, scan
from kiro_swarm.api.graph import PublishedGraph
from kiro_swarm.api.pieces import Pieces
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import (
    MOST_PARTS,
    pack,
    parts,
    publish,
    read_published,
    unpack,
    unpacking,
)
from tests.support.large_spec import large_spec

PLAN = """- [ ] 1. A group: with, commas
  - [ ] 1.1 One "quoted" [x], {y}
    - text
  - [ ] 1.2 Two \\ ü \U0001f389
    - _Depends: 1.1_
- [ ] 2. Three
"""
GOOD = publish(parse(PLAN), "tasks.md").to_json()
#: Texts of more than one piece, and of more than one slice of each list.
MANY = publish(parse(large_spec(400, detail=5)), "tasks.md").to_json()


def at_once(text: str) -> Optional[PublishedGraph]:
    """What pydantic alone makes of it."""
    try:
        graph = PublishedGraph.model_validate_json(text)
    except ValidationError:
        return None
    if [task.get("order") for task in graph.tasks] != list(range(len(graph.tasks))):
        return None
    return graph


def in_pieces(text: str) -> Optional[PublishedGraph]:
    try:
        return read_published(text)
    except ValueError as error:
        said = str(error)
        if "depends on" in said or "a task id twice" in said or "cycle" in said:
            return at_once(text)  # of its meaning, not of its form
        return None


@pytest.mark.parametrize("text", [GOOD, MANY])
def test_the_pieces_make_the_whole(text: str) -> None:
    assert at_once(text) is not None
    assert read_published(text) == at_once(text)


SIGNS = st.sampled_from(
    [*'[]{},:" \\\n0', "null", '"a"', "[]", "{}", ",,", "é", "\x00"]
)


@given(st.data())
def test_a_spoilt_text_is_refused_in_pieces_where_it_is_at_once(data: Any) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 4))
        text = text[:at] + data.draw(SIGNS) + text[at + gone :]
    assert in_pieces(text) == at_once(text), text


@pytest.mark.parametrize("edge", range(0, 60, 4))
def test_where_a_slice_ends_makes_no_difference(edge: int) -> None:
    """Also after a comma with nothing behind it, or a bracket of the other kind."""
    start = MANY.index('"tasks":[') + len('"tasks":[')
    ends = [n for n, sign in enumerate(MANY) if MANY[n : n + 3] == "},{" and sign][:60]
    at = ends[edge] + 1
    for text in (
        MANY[:at] + "," + MANY[at:],
        MANY[:at] + "]" + MANY[at + 1 :],
        MANY[:start] + "," + MANY[start:],
    ):
        assert in_pieces(text) == at_once(text)
    short = MANY[:at] + ",]" + MANY[MANY.index("]", MANY.rindex('"line"')) + 1 :]
    assert in_pieces(short) is None


def test_a_list_that_is_there_twice_is_refused() -> None:
    twice = GOOD.replace('"tasks":[', '"tasks":[],"tasks":[', 1)
    with pytest.raises(ValueError, match="wrong at tasks: it is there twice"):
        read_published(twice)


def test_an_item_of_more_values_than_any_has_is_not_read() -> None:
    wide = {"id": "1", "order": 0, "dependencies": ["1"] * 100_000}
    with pytest.raises(ValueError, match="tasks: an item of more than 4000 values"):
        read_published(json.dumps({"specPath": "x", "tasks": [wide]}))


def test_the_fault_is_named_by_its_place_in_the_whole_list() -> None:
    data = json.loads(MANY)
    data["tasks"][333]["title"] = 5
    with pytest.raises(ValueError, match=r"wrong at tasks\.333\.title: "):
        read_published(json.dumps(data))
    data["tasks"][333] = 5
    with pytest.raises(ValueError, match=r"wrong at tasks\.333: "):
        read_published(json.dumps(data))


TEXTS = st.text(st.sampled_from('[]{},:"\\ 0123x'), max_size=60)


@given(TEXTS, st.integers(0, 40))
def test_where_a_piece_ends_makes_no_difference_to_the_bounds(
    text: str, before: int
) -> None:
    """The same text at the end of a piece, and at the start of one."""
    edge = 32 * 1024

    def bounds(pad: int) -> str:
        try:
            check_json(" " * pad + text, depth=3, values=9, members=3, longest=9)
        except BoundsError as error:
            return str(error)
        return ""

    assert bounds(edge - before) == bounds(0)


def test_a_string_over_the_end_of_a_piece_is_one_mark() -> None:
    text = '"' + "x" * 40_000 + '\\"y",1'
    marks = [m for m in scan(text, depth=1, values=9) if m is not None]
    assert [(m.first, m.start, m.end) for m in marks] == [
        ('"', 0, 40_005),
        (",", 40_005, 40_006),
        ("1", 40_006, 40_007),
    ]


def costs(work: Pieces[PublishedGraph]) -> list[float]:
    """Processor time of each piece."""
    found = []
    gc.disable()  # its passes fall where they fall
    try:
        for _ in iter(int, 1):
            begun = time.process_time()
            ended = next(work, work)
            found.append(time.process_time() - begun)
            if ended is work:
                return found
    finally:
        gc.enable()
    return found


def test_the_largest_graph_of_people_is_read_in_many_small_pieces() -> None:
    """Of 10,000 tasks; how long a piece takes in all is a share of the whole, on any machine."""
    packed = pack(publish(parse(large_spec(10_000)), "tasks.md"))
    found = costs(unpacking(parts(packed)))
    assert len(found) >= 200
    assert max(found) < sum(found) / 10


async def test_the_event_loop_turns_with_each_piece() -> None:
    packed = pack(publish(parse(large_spec(1_000)), "tasks.md"))
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beating = asyncio.ensure_future(beat())
    graph = await in_turns(unpacking(parts(packed)))
    beating.cancel()
    assert graph == unpack(packed)
    assert turns >= 20
    assert len(parts(packed)) <= MOST_PARTS
