"""What git may need for patterns is never counted too low, and honest ones are far below."""

from __future__ import annotations

import random
import tracemalloc
from typing import Optional

import pytest

from kiro_swarm.workspace.globs import STEPS, most_stars
from kiro_swarm.workspace.pattern_steps import steps
from tests.support.pace import in_proportion
from tests.unit.workspace.matcher import looked_at

EVIL = "**/a/" * 12 + "b"
DEEP = "/".join("a" * 40) + "/c"
LONG = "a" * 120 + "c"
FLAT = "*a" * 12 + "b"
#: Lines of a pattern file, and a path that they take git for ever.
HOSTILE = {
    "deep": (EVIL, DEEP),
    "deep at the end": (f"/x/{EVIL}", f"x/{DEEP}"),
    "deep and any name": ("**/*/" * 12 + "b", DEEP),
    "deep and any letter": ("**/?/" * 12 + "b", DEEP),
    "deep behind letters": ("a" + EVIL, DEEP),
    "quoted": (f'"{EVIL}" text', DEEP),
    "octal": (f'"{EVIL}" text'.replace("*", "\\052"), DEEP),
    "behind a mark": ("\ufeff" + f'"{EVIL}" text'.replace("*", "\\052"), DEEP),
    "escaped": (EVIL.replace("/", "\\/"), DEEP),
    "more stars": (EVIL.replace("**", "*****"), DEEP),
    "negative": (f"!{EVIL}", DEEP),
    "a folder": (f"{EVIL}/", DEEP),
    "single stars": (FLAT, LONG),
    "single stars of a folder's name": (FLAT, f"{LONG}"),
    "single stars in a path": (f"/x/{FLAT}", f"x/{LONG}"),
    "single stars before a folder": (f"{FLAT}/c", f"{LONG}/d"),
    "double stars in a name": ("**a" * 12 + "/b", f"{LONG}/c"),
    "in brackets": ("*[a-z]" * 12 + "b", LONG),
    "brackets with a star": ("[*a]" + FLAT, LONG),
    "brackets with their end": ("[]*]" + FLAT, f"]{LONG}"),
    "brackets with a class": ("[[:alpha:]*]" + FLAT, LONG),
    "an escaped star": ("\\**a*a" + FLAT, f"*{LONG}"),
    "any letters": ("*?" * 12 + "b", LONG),
    "long letters": (("*" + "a" * 9) * 12 + "b", "a" * 250 + "c"),
    "pairs in each folder": ("/".join(["*a*a"] * 12) + "/b", "/".join(["a" * 9] * 13)),
}


def count(text: str, paths: list[str], name: str = ".gitattributes") -> int:
    rules: dict[bytes, Optional[bytes]] = {name.encode(): text.encode()}
    return steps(rules, [path.encode() for path in paths])


#: Of attributes git takes nothing of these, or no more than what is before a NUL.
NOTHING = (
    f"{FLAT} text {'x' * 2048}",
    f"{' ' * 2048}{FLAT} text",
    "*[" + "a" * 100_000 + "]",
    f"x\0{FLAT} text",
    f"\0{FLAT} text",
    f"\ufeff{'x' * 2048}{FLAT}",
)


@pytest.mark.parametrize("text", NOTHING, ids=lambda text: repr(text[:20]))
def test_what_git_takes_nothing_of_counts_for_nothing(text: str) -> None:
    assert count(text, [LONG]) < 1000
    # Each counts again on a line that is as long as one may be.
    assert count(f"{text}\n{FLAT.ljust(2047)}\r\n", [LONG]) > STEPS


def test_a_long_pattern_of_what_is_ignored_counts() -> None:
    assert count("*[" + "a" * 100_000 + "]", ["b"], ".gitignore") > STEPS


@pytest.mark.parametrize("name", HOSTILE)
def test_what_takes_too_long_is_counted(name: str) -> None:
    text, path = HOSTILE[name]
    assert count(text, [path]) > STEPS
    assert count(f"# one\n*.x\n{text}\n", [path, "x"], ".gitignore") > STEPS or (
        '"' in text
    )
    assert count(text, [f"sub/{path}"], "sub/.gitattributes") > STEPS
    assert count(text, [path], "sub/.gitattributes") == 0


def test_many_of_few_are_counted() -> None:
    names = [f"x{number}" for number in range(21_000)]
    assert count("*.x -text\n" * 100_000, names) > STEPS
    assert count(
        "**/a/**/a/**/a/b text\n" * 2000, [f"{DEEP}{n}" for n in range(99)]
    ) > (STEPS)
    assert steps({b".gitignore": None}, [b"x"]) > STEPS
    assert count("x" * 100_000, names) < STEPS / 1000
    assert count("# only a remark\n\n", names) < STEPS / 1000


HONEST = """
*.log
*.py[cod]
[Dd]ebug/
**/[Pp]ackages/*
!**/[Pp]ackages/build/
**/src/**/generated/**/*.min.*.js
/packages/*/dist/*.bundle.*.map
*.generated.*.cs
_ReSharper*/
*_i.c
~$*
*.rptproj.rsuser
**/wwwroot/lib/
/build*/**/*.tmp.*
node_modules/
.DS_Store
"""


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes"])
def test_what_repositories_have_is_far_below(name: str) -> None:
    def paths(count: int) -> list[bytes]:
        return [
            f"packages/app{number % 50}/src/main/java/org/example/part{number % 400}"
            f"/generated/Some.Class{number}.min.js".encode()
            for number in range(count)
        ]

    rules: dict[bytes, Optional[bytes]] = {name.encode(): (HONEST * 10).encode()}
    # With no bound it counts as closely as it can.
    found = in_proportion(paths, lambda them: steps(rules, them, 0), 20_000).result
    assert found < STEPS / 4


def test_never_less_is_counted_than_git_looks_at() -> None:
    drawn = random.Random(20261130)
    pieces = ["*", "*", "**", "**/", "**/", "a", "a", "b", "/", "?", "[ab]", "[*]"]
    pieces += ["[]*a]", "\\a", "\\*", "*a", "*a*a", "**\\/", "*/"]
    checked = 0
    for _ in range(12_000):
        pattern = "".join(drawn.choices(pieces, k=drawn.randint(1, 10))).encode()
        letters = "".join(drawn.choices("aaab/c*", k=drawn.randint(1, 24)))
        path = "/".join(filter(None, letters.split("/"))).encode() or b"a"
        looked = looked_at(pattern, path, 20_000)
        if looked is not None:
            checked += 1
            found = steps({b".gitignore": pattern}, [path], 10**18)
            assert found >= min(looked, 20_000), (pattern, path)
    assert checked > 9_000


def test_the_worst_line_is_known() -> None:
    said = f"# one\n*.x\n{FLAT}\n*a*b\n".encode()
    assert most_stars(b".gitignore", said) == (12, FLAT.encode())
    assert most_stars(b".gitignore", b"") == (0, b"")


@pytest.mark.parametrize(
    "line",
    [b"*?a%d\n", b"[%d\n", b"**/%d*a*a*a*\n", b'"\\052%d\n', b"[:[:[:%d\n"],
)
def test_hostile_lines_are_counted_in_time_of_their_number(line: bytes) -> None:
    names = [f"{'a' * (number % 99)}/{number}".encode() for number in range(2_000)]

    def made(count: int) -> bytes:
        return b"".join(line % number for number in range(count))

    def counted(text: bytes) -> int:
        return steps({b".gitignore": text, b".gitattributes": text}, names)

    in_proportion(made, counted, 4_000)


def test_folders_that_are_deep_are_not_held_as_paths() -> None:
    parts = [f"{number % 100:02}" + "x" * 14 for number in range(198)]
    paths = [
        "/".join(f"{number:x}{part}" for part in parts).encode()
        for number in range(500)
    ]
    tracemalloc.start()
    try:
        # All the folders of these take 170 MiB.
        found = steps({b".gitignore": b"*a*b\n/x*a*b\n"}, paths)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 * 1024 * 1024
    assert found > 500 * 198 * 20


def test_what_a_path_does_not_begin_with_costs_nothing() -> None:
    deep = ["d/" * depth + "d" for depth in range(2_000)]
    lines = "/.claude/**/*.local.json\n/.claude/**/*.local.md\n/.claude/*.lock\n" * 9
    assert count(lines, deep, ".gitignore") < STEPS
    assert count(lines, [f".claude/{path}" for path in deep], ".gitignore") > STEPS


def test_each_folder_counts_once() -> None:
    one, two = ["a/b/c"], ["a/b/c", "a/b/d"]
    assert count("x", one, ".gitignore") == 3 * 10
    assert count("x", two, ".gitignore") == 4 * 10
    assert count("x", ["s/a/b", "s-a/b"], "s/.gitignore") == 3 * 10
