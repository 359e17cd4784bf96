"""The place of an error is one line that hides nothing, whatever its names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from kiro_swarm.api.faults import field_path, first_fault
from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.handshake import parse_request


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ((), ""),
        (("spec", "tasks", 0, "kiro.dev/x"), "spec.tasks.0.kiro.dev/x"),
        (("a\nb",), r"'a\nb'"),
        (("\x1b[2J", "\u202e"), r"'\x1b[2J'.'\u202e'"),
        (("x" * 100,), "'" + "x" * 64 + "'"),
        (("",), "''"),
    ],
)
def test_a_name_that_is_not_plain_is_escaped(
    parts: tuple[object, ...], path: str
) -> None:
    assert field_path(parts) == path  # type: ignore[arg-type]


@given(st.text())
def test_any_name_is_one_printable_line(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Strict.model_validate({name: 1})
    path, _, words = first_fault(caught.value).rpartition(": ")
    assert path.isascii()
    assert path.isprintable()
    assert len(path) <= 10 * 64
    assert words == "Extra inputs are not permitted"


def test_a_request_with_a_line_end_in_a_name_is_answered_in_one_line() -> None:
    first = b'{"protocol":3,"op":"ping","\\n":1}\n'
    with pytest.raises(ProtocolError) as caught:
        parse_request(first)
    assert "\n" not in str(caught.value)
    assert r"'\n': Extra inputs" in str(caught.value)


def test_a_value_that_is_shown_is_escaped() -> None:
    first = b'{"protocol":3,"op":"\\u007f\\n"}\n'
    with pytest.raises(ProtocolError) as caught:
        parse_request(first)
    assert str(caught.value).isprintable()
    assert r"\x7f" in str(caught.value)
