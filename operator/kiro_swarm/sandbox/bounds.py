"""JSON of the other side of the agent socket: ``api.bounded_json`` with the socket's error.

Used for requests and answers of the agent socket and for what programs in the agent
container print. Guarantees: text within the bounds is parsed in time and memory of its
length, everything else raises ProtocolError, and nothing else is ever raised.
"""

from __future__ import annotations

from typing import Union

from kiro_swarm.api import bounded_json
from kiro_swarm.api.bounded_json import BoundsError


class ProtocolError(Exception):
    """The other side said something that is not in the protocol; the message says what."""


def check_json(text: Union[str, bytes], *, depth: int, values: int) -> None:
    """Raise ProtocolError for nesting, values or numbers beyond bounds.

    It says nothing on whether ``text`` is JSON.
    """
    try:
        bounded_json.check_json(text, depth=depth, values=values)
    except BoundsError as error:
        raise ProtocolError(str(error)) from None


def read_object(
    text: str, *, depth: int = 8, values: int = 100_000
) -> dict[str, object]:
    """The JSON object in ``text``, which is bounded already; raises ProtocolError."""
    try:
        return bounded_json.read_object(
            text, size=len(text), depth=depth, values=values
        )
    except BoundsError as error:
        raise ProtocolError(str(error)) from error
