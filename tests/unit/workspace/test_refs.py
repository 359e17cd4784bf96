"""Names that git would take and we do not, and the other way round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.workspace.errors import InvalidPath, InvalidRef
from kiro_swarm.workspace.refs import (
    check_branch,
    check_object_id,
    check_path,
    check_task_branch,
    check_trailer,
)

REFUSED = [
    ("../../etc/passwd", "a part may not begin|'..' in a ref"),
    ("a..b", "'..' in a ref"),
    ("-rf", "may not begin with '-'"),
    ("--upload-pack=touch", "'='"),
    ("x.lock", "may not end with"),
    ("a b", "' ' at position 2"),
    ("a~1", "'~' at position 2"),
    ("a:b", "':' at position 2"),
    ("HEAD", "means something else"),
    ("@", "means something else"),
    (".hidden", "may not begin with '.'"),
    ("a/.git/b", "may not begin with '.'"),
    ("a\x00b", r"U\+0000 at position 2"),
    ("a\nb", r"U\+000A at position 2"),
    ("a$(id)", r"'\$' at position 2"),
    ("a;id", "';' at position 2"),
    ("a`id`", "'`' at position 2"),
    ("refs/heads/main", "short branch name"),
    ("ünï", "'ü' at position 1"),
    ("a" * 300, "300 characters"),
    ("a//b", "empty"),
    ("a@{1}", "'{'"),
    ("", "empty"),
]


@pytest.mark.parametrize(("name", "message"), REFUSED)
def test_a_hostile_branch_name_is_refused_with_its_place(
    name: str, message: str
) -> None:
    with pytest.raises(InvalidRef, match=message):
        check_branch(name)
    with pytest.raises(InvalidRef):
        check_task_branch(name)


@pytest.mark.parametrize(
    "name", ["main", "release/1.0", "Feature/ABC-12_x", "v1.0.0+build", "a/b/c/d/e"]
)
def test_branches_as_people_name_them_pass(name: str) -> None:
    assert check_branch(name) == name


@pytest.mark.parametrize(
    "name",
    ["main", "swarm/demo/1.1", "swarm/demo/1.1/0", "swarm/Demo/1.1/1", "swarm/d/t/1/2"],
)
def test_a_task_branch_has_the_one_form(name: str) -> None:
    with pytest.raises(InvalidRef, match="swarm/<swarm>/<task>/<attempt>"):
        check_task_branch(name)


@given(st.text(max_size=80))
def test_what_passes_has_only_harmless_characters(name: str) -> None:
    try:
        check_branch(name)
    except InvalidRef:
        return
    assert name.isascii()
    assert not set(name) & set(" $;`'\"\\~^:?*[<>|&(){}!\n")
    assert not name.startswith(("-", ".", "/"))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        ".git/config",
        "a/.GIT/x",
        "a\nb",
        "",
        "-x",
        "a\\b",
        "x" * 2000,
        "a/./b",
    ],
)
def test_a_path_stays_inside_the_repository(path: str) -> None:
    with pytest.raises(InvalidPath):
        check_path(path)


def test_a_path_may_have_spaces_and_letters_of_any_language() -> None:
    assert check_path(".kiro/specs/mon été/tasks.md")


@pytest.mark.parametrize("text", ["abc", "A" * 40, "0" * 41, "--all", "HEAD"])
def test_an_object_id_is_complete(text: str) -> None:
    with pytest.raises(InvalidRef):
        check_object_id(text)


@pytest.mark.parametrize("text", ["uid", "uid/0", "u/1\nX: y", "/1", "u/1,v/2", "u/x"])
def test_a_trailer_is_uid_and_attempt(text: str) -> None:
    with pytest.raises(InvalidRef):
        check_trailer(text)
