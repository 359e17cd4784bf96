"""JSON of somebody else: within the bounds it is parsed, everything else is the one error."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.bounded_json import (
    BoundsError,
    check_json,
    read_json,
    read_object,
)

BOUNDS = {"size": 10_000, "depth": 5, "values": 100}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 6, "nested deeper than 5"),
        ("[" * 9_999, "nested deeper than 5"),
        ('{"a":' * 9, "nested deeper than 5"),
        ("]", "closes what it did not open"),
        ("[" + "0," * 101 + "0]", "more than 100 values"),
        ("9" * 65, "a number of more than 64 digits"),
        ("1e" + "9" * 60, "a number too large"),
        ("-1E999", "a number too large"),
        ("NaN", "NaN for a number"),
        ("-Infinity", "-Infinity for a number"),
        ('"' + "x" * 10_000 + '"', "longer than 10000 characters"),
        ('"\\ud800"', "no JSON"),
        ('"\ud800\\u0041"', "no JSON"),
        ('["\ud800"]', "no JSON"),
        ("", "no JSON"),
        ("'a'", "no JSON"),
        ('{"a":1}{}', "no JSON"),
        (b"\xff\xfe[\x00]\x00", "no JSON"),
        (b'"\xff"', "no JSON"),
        (json.dumps({"a": [1]}).encode("utf-16"), "no JSON"),
    ],
)
def test_what_is_beyond_a_bound_or_no_json_is_told(
    text: Union[str, bytes], says: str
) -> None:
    with pytest.raises(BoundsError, match=says):
        read_json(text, **BOUNDS)


def test_members_and_strings_have_bounds_of_their_own() -> None:
    check_json('{"a": 1, "b": "xy:z"}', depth=1, values=9, members=2, longest=6)
    with pytest.raises(BoundsError, match="and 1 members"):
        check_json('{"a": 1, "b": 2}', depth=1, values=9, members=1)
    with pytest.raises(BoundsError, match="a string of more than 5 characters"):
        check_json('["xyz\\n"]', depth=1, values=9, longest=5)


def test_only_an_object_is_an_object() -> None:
    assert read_object('{"a": "[[[[[["}', **BOUNDS) == {"a": "[[[[[["}
    with pytest.raises(BoundsError, match="not an object"):
        read_object("[]", **BOUNDS)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_within_the_bounds_is_read(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False).encode()):
        assert read_json(text, size=10**6, depth=30, values=10**4) == value


@given(st.text() | st.binary())
def test_nothing_else_is_raised(text: Union[str, bytes]) -> None:
    with suppress(BoundsError):
        read_json(text, **BOUNDS)
