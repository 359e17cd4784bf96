"""Nobody is told who signs in to a repository, with what, or what an address asks for."""

from __future__ import annotations

import pytest

from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.redaction import redact, redact_address
from kiro_swarm.workspace.remote import check_url
from tests.support.pace import in_proportion

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
