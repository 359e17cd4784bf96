"""The language of the agent socket: newline-delimited JSON frames.

One request per connection. Shared by the server (entrypoint) and the client (socket),
so that a field has one spelling and one bound. Requests are checked strictly: a wrong
one is answered with a message that names the field.
"""

from __future__ import annotations

import json
from typing import Any, Literal, Optional, Union

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from typing_extensions import Annotated

# A task and a brief of the longest kind, every letter of them escaped, and more.
MAX_REQUEST_BYTES = 8 * 1024 * 1024
MAX_FRAME_BYTES = 32 * 1024
# JSON writes one byte of output as at most six (\u0000), so a frame stays in bounds.
MAX_CHUNK_BYTES = 5 * 1024
WEEK = 7 * 24 * 3600.0

Text = Annotated[str, Field(max_length=128 * 1024, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(pattern=r"^[^=\x00]+$")]
Seconds = Annotated[float, Field(gt=0, le=WEEK, allow_inf_nan=False)]


class BadRequestError(Exception):
    """A request that is not served; the message names the field and what is wrong."""


class _Request(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel
    )


class PingRequest(_Request):
    """Is anybody there? Answered with {"ok": true}."""

    op: Literal["ping"]


class ExecRequest(_Request):
    """Start a process and stream its output until it ends.

    `timeout_seconds` bounds the whole run, `idle_timeout_seconds` the time without output.
    """

    op: Literal["exec"]
    argv: list[Text] = Field(min_length=1, max_length=1024)
    cwd: Annotated[str, Field(max_length=4096, pattern=r"^/[^\x00]*$")]
    env: dict[Name, Text] = Field(default_factory=dict, max_length=1024)
    stdin: str = ""
    timeout_seconds: Seconds
    idle_timeout_seconds: Optional[Seconds] = None


Request = Union[PingRequest, ExecRequest]
_REQUEST: TypeAdapter[Request] = TypeAdapter(
    Annotated[Request, Field(discriminator="op")]
)


def parse_request(line: bytes) -> Request:
    """The request in one line of JSON; raises BadRequestError."""
    try:
        return _REQUEST.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # The first part of a location is the name of the operation.
        where = ".".join(str(part) for part in first["loc"][1:]) or "request"
        raise BadRequestError(f"{where}: {first['msg']}") from error


def encode(frame: dict[str, Any]) -> bytes:
    """One frame as a line. Lone surrogates cannot be sent, so text goes as ASCII."""
    return json.dumps(frame, separators=(",", ":")).encode("ascii") + b"\n"
