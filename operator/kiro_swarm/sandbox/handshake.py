"""How a conversation on the agent socket begins: a line of JSON each way.

Written and read by both sides (socket, entrypoint). These two lines have the same form
in every version, so that an image of another release is told so in words: a request
carries ``protocol``, and so does the answer. After a request to run something was accepted,
the frames of ``frames`` follow.

Both containers of a pod must speak the same version. The agent image is built FROM ours
and may be older than the runner: then the runner is not ready and says which two versions
met, no attempt is begun, and building the agent image again FROM the new release mends it.
"""

from __future__ import annotations

import json
from typing import Literal, Mapping, Optional, Sequence, Union

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from typing_extensions import Annotated

from kiro_swarm.api.faults import first_fault
from kiro_swarm.sandbox.bounds import ProtocolError, check_json
from kiro_swarm.sandbox.port import NOT_STARTED, Held, SessionError

#: 1 was JSON lines without a number, and has no sessions; 2 cannot renew a container.
PROTOCOL = 3
# Linux takes 2 MiB of arguments and environment; half of it may need an escape.
MAX_REQUEST_BYTES = 4 * 1024 * 1024
MAX_ANSWER_BYTES = 4 * 1024
MAX_ARGUMENTS = 1024
WEEK = 7 * 24 * 3600.0
#: Most bytes that a session takes, and that it gives (stdout and stderr together).
MAX_STDIN_BYTES = 1024**3
MAX_OUTPUT_BYTES = 4 * 1024**3

Text = Annotated[str, Field(max_length=128 * 1024, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(max_length=4096, pattern=r"^[^=\x00]+$")]
Seconds = Annotated[float, Field(gt=0, le=WEEK, allow_inf_nan=False)]
Log = Literal["stdout", "stderr"]


class VersionError(ProtocolError):
    """The other side speaks another version; the message names both and what to do."""


class RefusedError(ProtocolError):
    """The container does not serve the request; the message is its own."""


class _Request(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )
    protocol: int = PROTOCOL


class PingRequest(_Request):
    """Is anybody there, and of the same version?"""

    op: Literal["ping"] = "ping"


class RenewRequest(_Request):
    """Make the container as it was at its start; answered when it is."""

    op: Literal["renew"] = "renew"


class HeldRequest(_Request):
    """What do processes hold on the volume of ``place`` that is in no folder?

    A container of an earlier release refuses this one.
    """

    op: Literal["held"] = "held"
    place: Annotated[str, Field(max_length=4096, pattern=r"^/[^\x00]*$")]


class RunRequest(_Request):
    """Start a process; its streams follow as frames.

    ``timeout_seconds`` bounds the whole run, ``idle_timeout_seconds`` the time in which
    nothing goes through its streams. ``log`` names what goes to the container's log too.
    """

    op: Literal["run"] = "run"
    argv: list[Text] = Field(min_length=1, max_length=MAX_ARGUMENTS)
    cwd: Annotated[str, Field(max_length=4096, pattern=r"^/[^\x00]*$")]
    env: dict[Name, Text] = Field(default_factory=dict, max_length=MAX_ARGUMENTS)
    timeout_seconds: Seconds
    idle_timeout_seconds: Optional[Seconds] = None
    stdin_limit_bytes: Annotated[int, Field(ge=0, le=MAX_STDIN_BYTES)]
    output_limit_bytes: Annotated[int, Field(ge=0, le=MAX_OUTPUT_BYTES)]
    log: list[Log] = Field(default_factory=list, max_length=2)


Request = Union[PingRequest, RenewRequest, HeldRequest, RunRequest]
_REQUEST: TypeAdapter[Request] = TypeAdapter(
    Annotated[Request, Field(discriminator="op")]
)
_Version = Annotated[int, Field(ge=1, le=1_000_000)]
_Count = Annotated[int, Field(ge=0, lt=1 << 63)]


class _Hello(BaseModel):
    """The part of a request that all versions share."""

    model_config = ConfigDict(strict=True)
    protocol: Optional[_Version] = None


class _Answer(_Hello):
    error: Optional[str] = None
    #: To a ``HeldRequest``: bytes and files.
    held: Annotated[list[_Count], Field(max_length=2)] = Field(default_factory=list)


def parse_request(line: bytes) -> Request:
    """The request in one line; raises ProtocolError, which names the field."""
    check_json(line, depth=2, values=3 * MAX_ARGUMENTS)
    try:
        theirs = _Hello.model_validate_json(line).protocol or 1
    except ValidationError as error:
        raise ProtocolError(f"request: {first_fault(error)}") from error
    if theirs != PROTOCOL:
        raise VersionError(_versions(runner=theirs, container=PROTOCOL))
    try:
        return _REQUEST.validate_json(line)
    except ValidationError as error:
        # The first part of a location is the name of the operation.
        raise ProtocolError(f"request: {first_fault(error, skip=1)}") from error


def run_request(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Optional[Mapping[str, str]],
    timeout_seconds: float,
    idle_timeout_seconds: Optional[float],
    stdin_limit_bytes: int,
    output_limit_bytes: int,
    log: Sequence[Log] = (),
) -> RunRequest:
    """A request of these values; raises SessionError, which names the field."""
    idle = None if idle_timeout_seconds is None else float(idle_timeout_seconds)
    try:
        return RunRequest(
            argv=list(argv),
            cwd=cwd,
            env=dict(env or {}),
            timeout_seconds=float(timeout_seconds),
            idle_timeout_seconds=idle,
            stdin_limit_bytes=stdin_limit_bytes,
            output_limit_bytes=output_limit_bytes,
            log=list(log),
        )
    except ValidationError as error:
        message = f"could not be started: {first_fault(error)}"
        raise SessionError(NOT_STARTED, message) from error


def check_answer(line: bytes) -> Held:
    """Return when the request was accepted; raises ProtocolError otherwise.

    What is held, as the answer to a ``HeldRequest`` says; nothing in others.
    """
    check_json(line, depth=2, values=16)
    try:
        answer = _Answer.model_validate_json(line)
    except ValidationError as error:
        raise ProtocolError(f"an answer with {first_fault(error)}") from error
    # Version 1 refuses the number itself and answers without one.
    theirs = answer.protocol or 1
    if theirs != PROTOCOL:
        raise VersionError(_versions(runner=PROTOCOL, container=theirs))
    if answer.error is not None:
        raise RefusedError(answer.error[:1024])
    return Held(*answer.held)


def _versions(*, runner: int, container: int) -> str:
    older = "agent image" if container < runner else "runner image"
    return (
        f"the agent container speaks version {container} of the protocol and the runner "
        f"version {runner}: build the {older}, which is older, again FROM the image of "
        f"the same release as the other"
    )


def request_line(request: Request) -> bytes:
    """A request as it is sent; raises ProtocolError where it is too long."""
    fields = request.model_dump(by_alias=True)
    line = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    encoded = line.encode("utf-8", "replace") + b"\n"
    if len(encoded) > MAX_REQUEST_BYTES:
        raise ProtocolError(f"request: longer than {MAX_REQUEST_BYTES} bytes")
    return encoded


def answer_line(error: Optional[str] = None, held: Optional[Held] = None) -> bytes:
    """What the container answers to a request: accepted, or what is wrong with it."""
    answer: dict[str, object] = {"protocol": PROTOCOL}
    if error:
        answer["error"] = error[:600]
    if held is not None:
        answer["held"] = list(held)
    # Every letter of them escaped, it still is within MAX_ANSWER_BYTES.
    return json.dumps(answer).encode("ascii") + b"\n"
