"""No bytes do anything to a parser but give a frame or its own error."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kiro_swarm.sandbox.bounds import ProtocolError, check_json, read_object
from kiro_swarm.sandbox.frames import (
    MAX_DATA_BYTES,
    Decoder,
    Exit,
    Frame,
    Kind,
    Stream,
    credit_for,
    encode,
    end_of,
    exited,
    read_credit,
    read_exit,
    started,
)

FRAMES = st.one_of(
    st.binary(min_size=1, max_size=300).map(lambda data: Frame(Kind.STDOUT, data)),
    st.binary(min_size=1, max_size=300).map(lambda data: Frame(Kind.STDIN, data)),
    st.sampled_from(Stream).map(lambda one: Frame(Kind.END, bytes((one,)))),
    st.sampled_from(["TERM", "KILL"]).map(lambda n: Frame(Kind.SIGNAL, n.encode())),
    st.integers(0, 2**32 - 1).map(
        lambda pid: Frame(Kind.STARTED, pid.to_bytes(4, "big"))
    ),
)


def fed(chunks: Sequence[bytes]) -> tuple[list[Frame], str, int]:
    """The frames, the error that ended them, and what was left over."""
    decoder = Decoder()
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            frames += list(decoder.feed(chunk))
    except ProtocolError as error:
        return frames, str(error), 0
    return frames, "", decoder.pending


@settings(deadline=None)
@given(st.lists(FRAMES, max_size=20), st.integers(1, 50))
def test_frames_are_read_as_they_were_written_however_they_are_cut(
    frames: list[Frame], width: int
) -> None:
    data = b"".join(encode(*frame) for frame in frames)
    chunks = [data[at : at + width] for at in range(0, len(data), width)]
    assert fed(chunks) == (frames, "", 0)
    whole, error, pending = fed([data[:-1]])
    assert (whole, error) == (frames[:-1], "")
    assert (pending > 0) == bool(frames)


@settings(deadline=None)
@given(st.binary(max_size=2000))
@example(b"\x00" * 5)
@example(b"\x02\xff\xff\xff\xff")
@example(b"\x08\x00\x00\x00\x02[[")
def test_any_bytes_give_frames_or_the_one_error(data: bytes) -> None:
    frames, error, pending = fed([data])
    assert fed([bytes((one,)) for one in data]) == (frames, error, pending)
    assert pending <= MAX_DATA_BYTES + 5
    for frame in frames:
        assert 0 < len(frame.payload) <= MAX_DATA_BYTES


def test_a_frame_that_is_too_long_is_refused_by_its_first_five_bytes() -> None:
    for kind, size in ((2, MAX_DATA_BYTES + 1), (8, 5000), (4, 2), (0, 1), (9, 1)):
        _, error, _ = fed([bytes((kind,)) + size.to_bytes(4, "big")])
        assert error, kind
    assert fed([b"\x02" + MAX_DATA_BYTES.to_bytes(4, "big")])[1] == ""


def test_what_the_frames_say_is_read_back() -> None:
    end = Exit(reason="Exited", exit=7, seconds=1.5, message='"\u20ac\x1b' * 170)
    data = (
        started(4) + credit_for(Stream.STDERR, 9) + end_of(Stream.STDIN) + exited(end)
    )
    frames, error, left = fed([data])
    assert (error, left) == ("", 0)
    assert [frame.kind.name for frame in frames] == ["STARTED", "CREDIT", "END", "EXIT"]
    assert read_credit(frames[1].payload) == (Stream.STDERR, 9)
    assert read_exit(frames[3].payload) == end


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
@example(b"[" * 4000)
@example(b'{"seconds":' + b"9" * 4000 + b"}")
@example(b'{"reason":"Exited","exit":1,"seconds":1e999}')
@example(b'{"reason":"Exited","exit":1,"seconds":NaN}')
@example(b'{"reason":"Exited","exit":1,"seconds":1,"message":"\\ud800"}')
def test_an_exit_is_one_or_the_one_error(payload: bytes) -> None:
    try:
        end = read_exit(payload)
    except ProtocolError:
        return
    assert read_exit(exited(end)[5:]) == end


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet='[]{}",:\\0e-.un')))
@example("[" * 100_000)
@example('{"a":' * 100_000)
@example('{"a":' + "9" * 5000 + "}")
@example('{"a":-1e999}')
@example('{"a":NaN}')
@example('{"a":"\\ud800"}')
@example('"' + "\\" * 99_999)
def test_an_object_is_one_or_the_one_error(text: str) -> None:
    try:
        found = read_object(text)
    except ProtocolError:
        return
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[[[1]]]", "nested deeper than 2"),
        ("]", "closes what it did not open"),
        ("[1,2,3,4,5]", "more than 4 values"),
        ("9" * 65, "a number of more than 64 digits"),
        (b"\xff" * 9 + b"[[[", "nested deeper than 2"),
    ],
)
def test_bounds_are_kept_before_anything_is_parsed(text: str, names: str) -> None:
    with pytest.raises(ProtocolError, match=names):
        check_json(text, depth=2, values=4)


def test_what_is_inside_strings_is_not_counted() -> None:
    check_json(
        '{"[[[[": "]]]],,,,,\\"[[[", "9": "' + "9" * 99 + '"}', depth=1, values=3
    )
