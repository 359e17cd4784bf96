"""A graph that somebody else has written into the ConfigMap: refused, in little memory.

The operator reads it in its own process, so each text here is read in a process of its own
that may not have more memory than the operator can spare. How long that took it measures
itself, without the tracer of coverage, and it is compared with the largest graph that is
published.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import subprocess
import sys
from typing import Callable

import pytest

from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import MOST_BYTES, publish
from tests.support.pace import Norm, untraced

MEBIBYTE = 1024 * 1024
#: What reading any graph may take beside what the program takes anyway.
MEMORY = 192 * MEBIBYTE
#: How much longer a hostile graph may take than the largest honest one.
TIMES = 12.0
_READER = """
import resource, sys, time
from kiro_swarm.tasks.file.wire import unpack
pages = int(open("/proc/self/statm").read().split()[0])
bound = pages * resource.getpagesize() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
packed = sys.stdin.read()
begun = time.process_time()
try:
    unpack(packed)
    said = "read"
except ValueError as error:
    said = f"refused: {error}"[:300]
print(time.process_time() - begun, said)
"""


def task(number: int, **more: object) -> dict[str, object]:
    return {"id": f"1.{number}", "order": number, **more}


def graph(tasks: list[dict[str, object]], **more: object) -> bytes:
    whole = {"specPath": "tasks.md", "tasks": tasks, **more}
    return json.dumps(whole, separators=(",", ":")).encode()


def filled(start: bytes, item: bytes, end: bytes) -> bytes:
    """As many items as a graph may be bytes long."""
    room = MOST_BYTES - len(start) - len(end)
    return start + item * (room // len(item)) + end


LONG = "word " * 13_000
HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty tasks": lambda: filled(b'{"specPath":"x","tasks":[{}', b",{}", b"]}"),
    "unknown field": lambda: filled(b'{"surprise":[0', b",0", b"]}"),
    "keys": lambda: b"{" + b",".join(b'"%d":0' % n for n in range(1_900_000)) + b"}",
    "wrong tasks": lambda: graph([{"order": n} for n in range(25_000)]),
    "too many tasks": lambda: graph([task(n) for n in range(25_001)]),
    "one long text": lambda: graph([task(0, title="x" * (MOST_BYTES - 200))]),
    "wide text": lambda: graph([task(0, title="\U0001f389")]).replace(
        b"\\ud83c\\udf89", b"\xf0\x9f\x8e\x89" * (MOST_BYTES // 4 - 100)
    ),
    "one long number": lambda: filled(b'{"version":', b"9", b"}"),
    "one long name": lambda: filled(b'{"', b"x", b'":1}'),
    "deep": lambda: b'{"tasks":' * 100_000,
    "remarks": lambda: graph([task(0)], diagnostics=[{}] * 200_000),
    "groups without end": lambda: graph(
        [task(n, parent="1") for n in range(25_000)],
        groups=[{"id": "1", "parent": "1", "description": LONG}],
    ),
    "texts of a group": lambda: graph(
        [task(n, parent="1") for n in range(25_000)],
        groups=[{"id": "1", "description": LONG}],
    ),
    "an error and a group": lambda: graph(
        [task(n, parent="1") for n in range(25_000)],
        groups=[{"id": "1", "description": LONG}],
        diagnostics=[
            {"severity": "error", "code": "x", "line": 1, "column": 1, "message": ""}
        ],
    ),
    "edges": lambda: graph(
        [task(n, dependencies=[f"1.{m}" for m in range(n)]) for n in range(2_001)]
    ),
    "a circle": lambda: graph(
        [task(n, dependencies=[f"1.{(n + 1) % 20_000}"]) for n in range(20_000)]
    ),
    "not UTF-8": lambda: b'{"specPath":"\xff"}',
    "UTF-16": lambda: '{"specPath":"x","tasks":[]}'.encode("utf-16"),
    "a bomb": lambda: b" " * (8 * MOST_BYTES),
}


def packed(plain: bytes) -> str:
    return base64.b64encode(gzip.compress(plain, 1)).decode()


def read_in_little_memory(packed: str) -> tuple[float, str]:
    """Processor time, and what became of it."""
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(MEMORY)],
        input=packed.encode(),
        env=untraced(),
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, _, said = done.stdout.decode().partition(" ")
    return float(seconds), said


@functools.cache
def the_largest() -> str:
    rows = "".join(
        f"- [ ] {g}.{n} Some title of a task\n  - {'text ' * 20}\n"
        for g in range(500)
        for n in range(25)
    )
    waves = {"waves": [[f"{g}.{n}" for n in range(25)] for g in range(500)]}
    text = f"{rows}\n# Graph\n```json\n{json.dumps(waves)}\n```\n"
    plain = publish(parse(text), "tasks.md").to_json().encode()
    return packed(plain)


OF_THE_LARGEST = Norm(lambda: read_in_little_memory(the_largest())[0])


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_graph_is_refused_in_bounded_memory_and_time(kind: str) -> None:
    hostile = packed(HOSTILE[kind]())
    seconds, said = read_in_little_memory(hostile)
    assert said.startswith("refused: "), said
    assert "MemoryError" not in said
    OF_THE_LARGEST.at_most(TIMES, seconds, lambda: read_in_little_memory(hostile)[0])


def test_the_largest_graph_that_is_published_is_read_in_that_memory() -> None:
    assert read_in_little_memory(the_largest())[1] == "read\n"
