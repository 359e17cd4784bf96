"""Work that is done piece by piece, so that others may have a turn in between. Pure.

Such work is a generator that yields nothing after each piece and returns what came of it. Whoever
has an event loop to keep turning asks for one piece after another (``reconcile/engine/turns``);
all others take ``whole``. How long a piece is, is bounded by whoever yields.
"""

from __future__ import annotations

from typing import Generator, cast

from typing_extensions import TypeVar

T = TypeVar("T")
#: Work that returns a ``T``.
Pieces = Generator[None, None, T]


def whole(work: Pieces[T]) -> T:
    """All of it at once."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(T, end.value)
