"""Whether what somebody wrote has the shape that ``api/`` declares for it."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

#: An object in a test, which may be wrong on purpose.
Object = Any


def valid(shape: Any, value: Any) -> Any:
    """``value`` as a model or TypedDict of ``api/`` validates it.

    Raises ValidationError: a field is unknown, missing or out of its bounds.
    """
    return TypeAdapter(shape).validate_python(value)
