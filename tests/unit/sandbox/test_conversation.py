"""Who keeps to the rules is never refused, who breaks one always is."""

from __future__ import annotations

from collections import deque
from typing import Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.conversation import ContainerSide, Data, RunnerSide
from kiro_swarm.sandbox.frames import (
    MAX_DATA_BYTES,
    WINDOW_BYTES,
    Decoder,
    Exit,
    Frame,
    Kind,
    Stream,
    credit_for,
    encode,
    end_of,
    exited,
    started,
)

LIMIT = 3 * WINDOW_BYTES
END = exited(Exit(reason="Exited", exit=0, seconds=1.0))
STEPS = st.sampled_from(["stdin", "stdout", "stderr", "read", "deliver", "deliver"])


class Talk:
    """Both sides, with bytes under way between them that arrive when the test says so."""

    def __init__(self) -> None:
        self.runner = RunnerSide(LIMIT, LIMIT)
        self.container = ContainerSide(LIMIT, LIMIT)
        self.to_runner: deque[bytes] = deque([started(1)])
        self.to_container: deque[bytes] = deque()
        self.sent = dict.fromkeys(Stream, 0)
        self.unread = dict.fromkeys(Stream, 0)
        self.arrived = dict.fromkeys(Stream, 0)

    def send(self, stream: Stream, size: int) -> None:
        if stream is Stream.STDIN:
            size = min(size, self.runner.stdin.credit, self.runner.stdin_left)
            if size:
                self.to_container.append(self.runner.input(bytes(size)))
        else:
            size = min(size, self.container.room(stream))
            if size:
                self.to_runner.append(self.container.output(stream, bytes(size)))
        self.sent[stream] += size

    def read(self, stream: Stream, size: int) -> None:
        size = min(size, self.unread[stream])
        if size:
            self.unread[stream] -= size
            inward = stream is Stream.STDIN
            side = self.container.stdin if inward else self.runner.out[stream]
            frame = side.read(size)
            if frame is not None:
                (self.to_runner if inward else self.to_container).append(frame)

    def deliver(self) -> None:
        for queue, side in (
            (self.to_runner, self.runner),
            (self.to_container, self.container),
        ):
            if queue:
                (frame,) = Decoder().feed(queue.popleft())
                event = side.receive(frame)
                if isinstance(event, Data):
                    self.arrived[event.stream] += len(event.data)
                    self.unread[event.stream] += len(event.data)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(STEPS, st.sampled_from(Stream), st.integers(1, MAX_DATA_BYTES)),
        max_size=200,
    )
)
def test_who_keeps_to_the_rules_is_understood_and_held_up_by_a_window(
    steps: list[tuple[str, Stream, int]],
) -> None:
    talk = Talk()
    for step, stream, size in steps:
        if step == "deliver":
            talk.deliver()
        elif step == "read":
            talk.read(stream, size)
        else:
            talk.send(Stream[step.upper()], size)
        assert max(talk.unread.values()) <= WINDOW_BYTES
    while talk.to_runner or talk.to_container:
        talk.deliver()
    assert talk.arrived == talk.sent
    assert max(talk.sent.values()) <= LIMIT


def test_who_is_read_can_always_go_on_to_the_limit() -> None:
    """No state in which credit is owed and never given."""
    talk = Talk()
    for _ in range(10_000):
        for stream in Stream:
            talk.send(stream, 1000)
            talk.read(stream, 7000)
        talk.deliver()
    assert talk.sent[Stream.STDIN] == LIMIT
    assert talk.sent[Stream.STDOUT] + talk.sent[Stream.STDERR] == LIMIT


FRAMES = st.one_of(
    st.tuples(
        st.sampled_from([Kind.STDIN, Kind.STDOUT, Kind.STDERR]),
        st.sampled_from([b"x", b"x" * MAX_DATA_BYTES]),
    ),
    st.tuples(st.just(Kind.END), st.integers(0, 4).map(lambda one: bytes((one,)))),
    st.tuples(
        st.just(Kind.CREDIT),
        st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 65536, 2**32 - 1])).map(
            lambda pair: bytes((pair[0],)) + pair[1].to_bytes(4, "big")
        ),
    ),
    st.tuples(
        st.just(Kind.SIGNAL),
        st.sampled_from([b"TERM", b"KILL", b"STOP", b"SIGTERM", b"\xff"]),
    ),
    st.just((Kind.STARTED, bytes(4))),
    st.sampled_from([(Kind.EXIT, END[5:]), (Kind.EXIT, b"{}"), (Kind.EXIT, b"[[")]),
)


@settings(deadline=None)
@given(st.lists(FRAMES, max_size=60), st.booleans())
def test_frames_in_any_order_are_events_or_the_one_error_within_bounds(
    frames: list[tuple[Kind, bytes]], at_runner: bool
) -> None:
    """Lost, doubled, reordered, from the wrong side: all of it is in here."""
    side = RunnerSide(LIMIT, LIMIT) if at_runner else ContainerSide(LIMIT, LIMIT)
    kept = dict.fromkeys(Stream, 0)
    try:
        for frame in frames:
            event = side.receive(Frame(*frame))
            if isinstance(event, Data):
                kept[event.stream] += len(event.data)
    except ProtocolError:
        pass
    assert max(kept.values()) <= WINDOW_BYTES


def say(side: Union[RunnerSide, ContainerSide], frames: bytes) -> None:
    for frame in Decoder().feed(frames):
        side.receive(frame)


STARTED = started(1)
DATA = encode(Kind.STDOUT, b"x" * MAX_DATA_BYTES)


@pytest.mark.parametrize(
    ("frames", "names"),
    [
        (DATA, "not due: STDOUT"),
        (STARTED + STARTED, "not due: STARTED"),
        (STARTED + DATA * 5, "more of STDOUT than it has credit for"),
        (STARTED + DATA * 4 + encode(Kind.STDERR, b"x"), "more output than the limit"),
        (STARTED + end_of(Stream.STDOUT) + DATA, "STDOUT goes on after its end"),
        (STARTED + end_of(Stream.STDIN) * 2, "STDIN is refused twice"),
        (STARTED + credit_for(Stream.STDIN, 1), "credit of 1 for STDIN"),
        (STARTED + credit_for(Stream.STDOUT, 1), "not due: CREDIT"),
        (STARTED + encode(Kind.END, b"\x07"), "unknown stream 7"),
        (STARTED + encode(Kind.SIGNAL, b"TERM"), "not due: SIGNAL"),
        (STARTED + END + END, "a frame after the last one"),
        (END, "not due: Exited"),
    ],
)
def test_what_a_container_must_not_say(frames: bytes, names: str) -> None:
    side = RunnerSide(LIMIT, LIMIT if "credit" in names else WINDOW_BYTES)
    with pytest.raises(ProtocolError, match=names):
        say(side, frames)


STDIN = encode(Kind.STDIN, b"x" * MAX_DATA_BYTES)


@pytest.mark.parametrize(
    ("frames", "names"),
    [
        (STDIN * 5, "more of STDIN than it has credit for"),
        (STDIN * 4 + encode(Kind.STDIN, b"x"), "more on stdin than the limit"),
        (end_of(Stream.STDIN) + STDIN, "STDIN goes on after its end"),
        (end_of(Stream.STDIN) * 2, "STDIN ends twice"),
        (end_of(Stream.STDOUT), "does not send: END"),
        (credit_for(Stream.STDOUT, 1), "credit of 1 for STDOUT"),
        (credit_for(Stream.STDIN, 1), "does not send: CREDIT"),
        (encode(Kind.SIGNAL, b"STOP"), "the signal 'STOP': not one of HUP"),
        (encode(Kind.SIGNAL, b"TERM") * 1001, "more than 1000 signals"),
        (STARTED, "does not send: STARTED"),
    ],
)
def test_what_a_runner_must_not_say(frames: bytes, names: str) -> None:
    limit = LIMIT if "credit" in names else WINDOW_BYTES
    side = ContainerSide(limit, LIMIT)
    with pytest.raises(ProtocolError, match=names):
        say(side, frames)
