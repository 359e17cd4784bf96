"""A few objects of a kind that others may make as many, and as large, of as they like.

Called by ``Client.few``. Guarantees: how much is read, and so how much of this process's memory
and time it takes, does not depend on what there is: few pages of few objects, and of a page no
more than its first bytes. An object that is not among them is not there for whoever asks; the
order is that of the API server, by name.
"""

from __future__ import annotations

from typing import Any, Callable, Final, TypeVar

from pydantic_core import from_json

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import ObjectT, Resource, StatusT

T = TypeVar("T")
#: Pages that are asked for, objects of each, and bytes of a page that are read.
PAGES: Final = 3
PAGE: Final = 20
LONGEST: Final = 256 * 1024


async def few(
    connection: Connection,
    resource: Resource[ObjectT, StatusT],
    namespace: str,
    fields: str,
    keep: Callable[[ObjectT], T],
) -> list[T]:
    """What ``keep`` makes of the first objects that match."""
    query = {"fieldSelector": fields, "limit": str(PAGE)}
    found: list[T] = []
    for _ in range(PAGES):
        text, whole = await connection.beginning(
            resource.path(namespace), query=query, longest=LONGEST
        )
        page = _read(text, whole)
        items = page.get("items") or []
        # The last one of a page that was cut is cut as well.
        found += [keep(item) for item in (items if whole else items[:-1])]
        token = (page.get("metadata") or {}).get("continue")
        if not token:
            break
        query["continue"] = str(token)
    return found


def _read(text: bytes, whole: bool) -> dict[str, Any]:
    """A page, or its beginning: what names the next page comes before the objects."""
    try:
        page: dict[str, Any] = from_json(text, allow_partial=not whole)
    except ValueError as error:
        if not whole:
            return {}
        raise errors.Unavailable(f"no JSON: {error}") from error
    return page
