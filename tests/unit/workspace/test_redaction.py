"""Nobody is told who signs in to a repository, with what, or what an address asks for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest

from kiro_swarm.workspace.errors import GitFailed, WorkspaceError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.push import why_refused
from kiro_swarm.workspace.redaction import (
    redact,
    redact_address,
    redact_end,
    redact_start,
)
from kiro_swarm.workspace.remote import check_url
from tests.support.pace import Norm, in_proportion, measured

#: Addresses with "hidden" in a part that is nobody's business.
ADDRESSES = [
    "https://user:hidden@host/x",
    "https://user:one/hidden@host/x.git",
    "https://user:one@hidden@host/x.git",
    "https://user:one#hidden@host/x",
    "https://user:one?hidden@host/x",
    "https://hidden/x:@host/x",
    "https://host/x?access_token=hidden",
    "ssh://hidden@host/x",
    "ssh://hidden@host/x" + "y" * 300,
    "https://user:" + "x" * 300 + "hidden@host/x",
    "https://user:" + "x" * 2000 + "hidden@host/x",
    "https:/user:hidden@host/x",
    "//user:hidden@host/x",
    "https://host/x#access_token=hidden",
    "https://host/x;token=hidden",
    "https://host/" + "x" * 600 + "?access_token=hidden",
]
#: And those that no text can be searched for, but a field may hold.
ALONE = [
    "https://user:one hidden@host/x",
    "user:hidden@host/x",
    "hidden:x@host/x",
    "https:user:hidden@host/x",
    "https://host/x?private_token=hidden\\",
    "https://host/x?one two=hidden",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_in_a_text_what_is_hidden_is_not_told(address: str) -> None:
    for text in (address, f"fatal: '{address}' does not answer", f"a {address}\nb"):
        said = WorkspaceError(text).message
        assert "hidden" not in said
        assert "host" in said


@pytest.mark.parametrize("address", [*ADDRESSES, *ALONE])
def test_of_a_field_what_is_hidden_is_not_told(address: str) -> None:
    assert "hidden" not in redact_address(address)
    said = ""
    try:
        check_url(address)
    except WorkspaceError as error:
        said = error.message
    assert "hidden" not in said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://host/path/x.git",
        "git@host:path",
        "mail me@host about task 1? or 2",
        "what of a://b",
    ],
)
def test_what_hides_nothing_stays(text: str) -> None:
    assert redact(text) == text
    assert redact_address("git@host:path") == "git@host:path"


@pytest.mark.parametrize("part", ["a", "a://", "a://@", "a://?", "?", "@", "a.", "://"])
def test_the_time_is_linear(part: str) -> None:
    def hidden(text: str) -> None:
        redact(text)
        redact_address(text)

    in_proportion(lambda length: part * (length // len(part)), hidden, 40_000)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_a_cut_goes_through_is_not_told(address: str) -> None:
    for place in range(7_000, 10_100, 149):
        for filling in ("x ", "https://a:b@c "):
            before = (filling * place)[:place]
            text = f"{before} {address} {filling * 2000}"
            assert "hidden" not in redact_start(text, 9_999)
            text = f"{filling * 2000} {address} {before}"
            assert "hidden" not in redact_end(text, 9_999)


def test_of_a_long_text_the_beginning_and_the_end_are_told() -> None:
    text = "first " + "word " * 100_000 + "last"
    assert redact_start(text, 12) == "first word w"
    assert redact_end(text, 9) == "word last"
    assert redact_start("short", 9) == redact_end("short", 9) == "short"


def test_a_message_of_any_length_is_made_in_the_time_of_a_short_one() -> None:
    """A server may send whatever it likes."""
    norm = Norm(lambda: measured(lambda: WorkspaceError("/" * 10_000)).seconds)

    def long() -> float:
        return measured(lambda: WorkspaceError("/" * 1_000_000)).seconds

    norm.at_most(3.0, long(), long)


def test_the_end_of_what_git_says_is_the_message(tmp_path: Path) -> None:
    warned = "".join(f"warning: line {number}\n" for number in range(900))
    script = tmp_path / "git"
    script.write_text(f"#!/bin/sh\nprintf '{warned}fatal: the reason' >&2\nexit 3\n")
    script.chmod(0o755)
    bare = f"{tmp_path}:{os.environ['PATH']}"
    with pytest.raises(GitFailed, match=r"(?s)^git x: .*fatal: the reason$") as raised:
        Git(tmp_path, environment={"PATH": bare}).run("x")
    assert len(raised.value.message) < 2000


def test_of_what_an_address_asks_for_no_end_is_told_however_long() -> None:
    address = "https://host/x?signature=" + "s" * 13_000 + "hidden"
    assert redact_end(f"fatal: {address}", 600) == ""
    assert redact_end(f"fatal: {address} is away", 600) == "is away"


@pytest.mark.parametrize("word", ["cannot lock ref ", "repository ", "exceeds ", "x"])
def test_a_refused_push_is_told_in_the_time_of_a_short_answer(word: str) -> None:
    def told(lines: int) -> Callable[[], float]:
        said = "\n".join(
            "remote: " + word * (20_000 // len(word)) for _ in range(lines)
        )
        answer = "!\tx:y\t[remote rejected] (hook)\n" * lines
        return lambda: measured(lambda: why_refused("x", "b", answer, said)).seconds

    Norm(told(1)).at_most(4.0, told(100)(), told(100))
