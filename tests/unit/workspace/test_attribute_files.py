"""Attributes are what git itself says of them in a checkout, however strange their files are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiro_swarm.workspace.attribute_files import (
    DEEPEST,
    Said,
    laid_out,
    read_attributes,
    values_of,
)
from kiro_swarm.workspace.attributes import for_merges
from kiro_swarm.workspace.git import Git
from tests.unit.workspace.repositories import git

#: What a merge goes by, and names that strange lines might give something.
ASKED = ("merge", "diff", "binary", "conflict-marker-size", "log", "filter")
PATHS = (
    *(b"a.md", b"b c.md", b"merge=x", b'"a', b"\xef\xbb\xbf*.md", b"sub/a.md"),
    *(b"sub/deep/a.md", b"s[u]b/a.md", b"s[u]b/b c.md", b"\xff/a.md", b"[attr]log"),
)
FOLDERS = (b"", b"sub", b"sub/deep", b"s[u]b", b"\xff")
PIECES = (
    *(b"*.md", b"a.md", b"/a.md", b"deep/", b"**/a.md", b"!a.md", b"\\!a.md", b"#"),
    *(b'"b c.md"', b'"a\\056md"', b'"a\\q"', b'"', b"\\", b"[attr]", b"log", b"log=1"),
    *(b"merge=union", b"merge=evil", b"merge=", b"-merge", b"!merge", b"merge", b"-"),
    *(
        b"binary",
        b"-binary",
        b"conflict-marker-size=9",
        b"conflict-marker-size=1000000",
    ),
    *(b"diff=python", b"-diff", b"filter=lfs", b"no/name", b"text", b"=", b"/", b"*"),
    *(b" ", b" ", b" ", b"\t", b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\0", b"\x0b"),
    *(b"\xef\xbb\xbf", b"\xff", b"x" * 2000, b" " * 2040, b"\xc3\xa9", b"\\101"),
)
#: What git has no driver for, and what one for words is no more than.
AS_NONE = (b"unspecified", b"set", b"evil", b"python", b"", b"lfs")


def asked(folder: Path, environment: dict[str, str]) -> list[tuple[bytes, bytes, str]]:
    """Path, attribute and value; what makes no difference to a merge is one value."""
    done = subprocess.run(
        ["git", "check-attr", "-z", "--stdin", *ASKED[:4]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/dev/null", **environment},
        input=b"".join(path + b"\0" for path in PATHS),
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    return [
        (path, name, _matters(name, value))
        for path, name, value in zip(done[0::3], done[1::3], done[2::3])
    ]


def _matters(name: bytes, value: bytes) -> str:
    if name == b"conflict-marker-size":
        # As C reads it; the default where it is none, or so many that git would fail.
        digits = value[: len(value) - len(value.lstrip(b"0123456789"))]
        number = int(digits or b"0")
        return str(number if 0 < number < 1000 else 7)
    if name == b"merge" and value not in (b"unset", b"union", b"text", b"binary"):
        return "a merge of texts"
    if name == b"diff" and value != b"unset":
        return "no matter"
    return value.decode("latin-1")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--template=", "repository")
    return tmp_path / "repository"


def lay(folder: Path, files: dict[bytes, bytes]) -> None:
    git(folder, "rm", "--quiet", "-r", "-f", "--ignore-unmatch", ".")
    for where in FOLDERS:
        file = os.path.join(os.fsencode(folder), where, b".gitattributes")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        if os.path.exists(file):
            os.unlink(file)
        if where in files:
            Path(os.fsdecode(file)).write_bytes(files[where])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(
    files=st.dictionaries(
        st.sampled_from(FOLDERS),
        st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join),
        min_size=1,
        max_size=3,
    )
)
def test_a_merge_goes_by_what_git_says_in_a_checkout(
    place: Path, files: dict[bytes, bytes]
) -> None:
    lay(place, files)
    own = asked(place, {})
    said = for_merges([Said(folder, text) for folder, text in sorted(files.items())])
    with laid_out(Git(place / ".git"), said) as (inside, over):
        assert over == []
        there = {"GIT_DIR": str(place / ".git"), "GIT_WORK_TREE": "."}
        assert asked(inside.directory, there) == own


#: A file of attributes, and what it says of the filter of ``x.key`` to each reader of git.
READERS = {
    b"*.key filter=crypt\n": (b"crypt", b"crypt"),
    b"\xef\xbb\xbf*.key filter=crypt\n": (b"crypt", b"unspecified"),
    b"#\0\n*.key filter=crypt\n": (b"crypt", b"unspecified"),
    b"*.key filter=cry\0pt\n": (b"cry", b"cry"),
    b"\xef\xbb\xbf#\n*.key filter=crypt\n": (b"crypt", b"crypt"),
    b"\xff\xfe*\0.\0k\0e\0y\0": (b"unspecified", b"unspecified"),
    b"*.key filter=crypt" + b" x" * 2000: (b"unspecified", b"unspecified"),
}


@pytest.mark.parametrize("text", READERS)
def test_both_readers_of_git_are_asked(place: Path, text: bytes) -> None:
    (place / ".gitattributes").write_bytes(text)
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "-m", "x")
    found = list(values_of(Git(place / ".git"), "HEAD", [b"x.key"], "filter"))
    assert tuple(value for _, value in found) == READERS[text]
    assert {path for path, _ in found} == {b"x.key"}


def test_no_name_of_a_tree_leads_out_of_the_folder(place: Path) -> None:
    """Trees are proved before; a folder is still written only where it is new."""
    names = (b"..", b"a/../..", b".", b"a//b", b"d/" * DEEPEST + b"n" * 300)
    said = [Said(name, b"* text\n") for name in names] + [Said(b"good", b"* text\n")]
    with laid_out(Git(place / ".git"), said) as (inside, over):
        assert len(over) == len(names)
        made = [path for path in inside.directory.parent.rglob("*") if path.is_file()]
        assert made == [inside.directory / "good/.gitattributes"]


def test_a_file_in_the_place_of_a_folder_is_left_out(place: Path) -> None:
    said = [Said(b"", b"* text\n"), Said(b".gitattributes", b"* text\n")]
    with laid_out(Git(place / ".git"), said) as (_, over):
        assert over == [b".gitattributes/.gitattributes"]


def test_links_and_what_is_too_deep_are_not_read(place: Path) -> None:
    deep = "d/" * DEEPEST + "d"
    (place / deep).mkdir(parents=True)
    (place / deep / ".gitattributes").write_bytes(b"* text\n")
    (place / "a").mkdir()
    (place / "a/.gitattributes").symlink_to("/etc/passwd")
    (place / ".gitattributes").write_bytes(b"* text\n")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "-m", "x")
    assert read_attributes(Git(place / ".git"), "HEAD") == (
        [Said(b"", b"* text\n")],
        [f"{deep}/.gitattributes".encode()],
    )
