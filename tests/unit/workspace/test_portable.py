"""Names that Windows or macOS cannot check out are merged, and told."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.jobs.integrate import status_after
from kiro_swarm.workspace.portable import objection, remark
from tests.unit.workspace.repositories import Swarm, merged

DEVICE, BLANK = "a device to Windows", "ends with a blank or a dot"
#: Names, and how what is said of each begins; the empty ones can be checked out by everybody.
NAMES = {
    **dict.fromkeys(
        (b"con", b"CON", b"aux.txt", b"Nul.tar.gz", b"prn ", b"a/LPT1"), DEVICE
    ),
    **dict.fromkeys(
        (b"aux/x.py", b"com0", b"COM9.c", b"conin$", b"CONOUT$.log"), DEVICE
    ),
    **dict.fromkeys(("com\u00b9".encode(), "lpt\u00b3.x".encode(), b"nul  .c"), DEVICE),
    **dict.fromkeys((b"aux:x", b"NUL::$DATA"), DEVICE),
    **dict.fromkeys((b"a.", b"a ", b"a/b./c", b"a /b", b"...", b".x."), BLANK),
    b"a:b": "has :",
    b"a\\b": "has \\",
    b'a"b': 'has "',
    b"what?": "has ?",
    b"a*b/c": "has *",
    b"a<b": "has <",
    b"a>b": "has >",
    b"a|b": "has |",
    b"a\nb": "has a control character",
    b"\x1b[31m": "has a control character",
    b"\xff\xfe": "not UTF-8",
    b"caf\xe9.txt": "not UTF-8",
    b"d/" * 129 + b"xx": "more than 259 characters",
    "\U0001f980".encode() * 130: "more than 259 characters",
    **dict.fromkeys(
        (b"console.py", b"auxiliary", b"nulls", b"com10", b"lpt", b"xcon"), ""
    ),
    **dict.fromkeys((b"a.con", b".aux", b"null", b"com", b"con-1.txt", b"_nul"), ""),
    **dict.fromkeys((b"a b", b"..a", b".gitignore", b" a", b"-rf", b"[a](b)"), ""),
    **dict.fromkeys(("r\u00e9sum\u00e9".encode(), "re\u0301sume\u0301".encode()), ""),
    **dict.fromkeys(("\u65e5\u672c.md".encode(), b"a'b", b"a%b&c", b"x" * 259), ""),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_name(name: bytes) -> None:
    said = objection(name)
    assert said.startswith(NAMES[name])
    assert bool(said) == bool(NAMES[name])


def test_a_few_are_named_on_one_line_that_steers_no_terminal() -> None:
    said = remark([b"fine", b"\x1b[31m:\n", b"x" * 300 + b"?", b"aux", b"nul", b"con"])
    assert said.startswith(
        "new names that not everybody can check out: '<U+001B>[31m:<U+000A>'"
    )
    assert said.endswith("'aux' (a device to Windows) and 2 more")
    assert said.isprintable()
    assert len(said) < 400
    assert remark([b"fine"]) == ""


def test_new_ones_are_merged_and_a_person_is_told(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = os.fsencode(made.tree)
    for name in (b"aux.txt", b"a:b", b"trailing ", b"\xff", b"fine"):
        Path(os.fsdecode(os.path.join(tree, name))).write_text("x")
    found = swarm.gather(made)
    assert (found.reason, len(found.files)) == ("Done", 5)
    assert "'aux.txt' (a device to Windows)" in found.warning
    assert found.warning in found.message
    outcome = merged(swarm, swarm.candidate(made, found.commit))
    assert outcome.said == found.warning
    task: Any = {"spec": {}, "status": {}}
    said = status_after(task, outcome, datetime.now(timezone.utc))["message"]
    assert said == f"merged as {outcome.commit[:12]}; {outcome.said}"
    # Whoever lives with them need not hear of them again.
    later = swarm.work({"aux.txt": "y", "z": "1"}, task="1.2")
    assert merged(swarm, later).said == ""
