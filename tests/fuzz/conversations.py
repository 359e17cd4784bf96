"""What either side of the agent socket may be sent, for the target ``frames``.

A text stands for bytes, one character each (Latin-1); what no byte can be is left out.
"""

from __future__ import annotations

from typing import Callable, Dict, Union

from kiro_swarm.sandbox.bounds import ProtocolError, read_object
from kiro_swarm.sandbox.conversation import ContainerSide, Data, RunnerSide
from kiro_swarm.sandbox.frames import (
    MAX_DATA_BYTES,
    WINDOW_BYTES,
    Decoder,
    Exit,
    Kind,
    Stream,
    credit_for,
    encode,
    end_of,
    exited,
    started,
)
from kiro_swarm.sandbox.handshake import (
    PingRequest,
    answer_line,
    check_answer,
    parse_request,
    request_line,
    run_request,
)
from tests.fuzz.engine import Target

LIMIT = 3000


def check_frames(text: str) -> str:
    """Both sides take any bytes for a conversation, or for the one error."""
    data = text.encode("latin-1", "ignore")
    return " ".join(
        (
            _side(data, parse_request, ContainerSide(LIMIT, LIMIT)),
            _side(data, check_answer, RunnerSide(LIMIT, LIMIT)),
            _object(text),
        )
    )


def _side(
    data: bytes,
    read_first: Callable[[bytes], object],
    side: Union[ContainerSide, RunnerSide],
) -> str:
    line, newline, rest = data.partition(b"\n")
    kinds: Dict[str, int] = {}
    kept = 0
    try:
        read_first(line + newline)
    except ProtocolError as error:
        if not str(error).isprintable() or len(str(error)) > 2000:
            raise AssertionError(f"an error for nobody: {error!r}") from error
        # What would be refused is fed all the same.
        kinds["refused"] = 1
    decoder = Decoder()
    try:
        for frame in decoder.feed(rest):
            event = side.receive(frame)
            kinds[type(event).__name__] = 1
            kept += len(event.data) if isinstance(event, Data) else 0
    except ProtocolError as error:
        kinds[str(error)[:12]] = 1
    if kept > min(LIMIT, 3 * WINDOW_BYTES) or decoder.pending > MAX_DATA_BYTES + 5:
        raise AssertionError(f"{kept} bytes kept, {decoder.pending} pending")
    return ",".join(sorted(kinds))


def _object(text: str) -> str:
    try:
        return f"{min(len(read_object(text)), 3)} keys"
    except ProtocolError:
        return "none"


def frames() -> Target:
    """Starts from whole conversations of both sides and from single frames."""
    request = request_line(
        run_request(
            ["agent", "acp"],
            cwd="/tree",
            env={"KIRO_TASK_ID": "1.1"},
            timeout_seconds=60,
            idle_timeout_seconds=5,
            stdin_limit_bytes=LIMIT,
            output_limit_bytes=LIMIT,
            log=["stderr"],
        )
    )
    said = (
        encode(Kind.STDIN, b'{"jsonrpc":"2.0"}'),
        encode(Kind.SIGNAL, b"TERM"),
        credit_for(Stream.STDOUT, 1),
        end_of(Stream.STDIN),
    )
    answered = (
        started(7),
        encode(Kind.STDOUT, b"out"),
        encode(Kind.STDERR, b"err"),
        credit_for(Stream.STDIN, 1),
        end_of(Stream.STDOUT),
        exited(Exit(reason="Exited", exit=0, seconds=1.5, message="m")),
    )
    examples = (
        request_line(PingRequest()),
        request + b"".join(said),
        answer_line() + b"".join(answered),
        answer_line("argv: missing"),
        answer_line() + exited(Exit(reason="NotStarted", seconds=0)),
        b'{"op":"ping"}\n',
        b'{"error":"protocol: Extra inputs are not permitted"}\n',
    )
    pieces = (
        *(*said, *answered, answer_line(), b"\n", b"\x00\x00\x00", b"\x01\x00\x00\x00"),
        *(b"\xff\xff\xff\xff", b"[" * 40, b'{"a":' * 9, b"9" * 70, b"-", b"1e999"),
        *(b'"\\ud800"', b"NaN", b'"protocol":', b'"op":"run"', b'"error":', b"true"),
    )
    return Target(
        "frames",
        [example.decode("latin-1") for example in examples],
        [piece.decode("latin-1") for piece in pieces],
        check_frames,
    )
