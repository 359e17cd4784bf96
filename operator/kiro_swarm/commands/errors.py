"""The one error of this package: a sentence that was not understood, and why.

Raised by the parser; shown to people by the command line and in SwarmCommand.status.
"""

from __future__ import annotations

from typing import Sequence

_SHOWN = 40


class SentenceError(ValueError):
    """Why a text is no sentence of the language.

    message: complete, names the column. position: column, from 1, in characters.
    expected: what could have stood there. suggestions: valid sentences near to what was
    written, in canonical form, none of them destructive.
    """

    def __init__(
        self,
        message: str,
        position: int,
        expected: Sequence[str] = (),
        suggestions: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.expected: tuple[str, ...] = tuple(expected)
        self.suggestions: tuple[str, ...] = tuple(suggestions)

    def to_wire(self) -> dict[str, object]:
        """The error as JSON-ready data; ``expectation`` is ``expected`` in words."""
        return {
            "message": self.message,
            "position": self.position,
            "expected": list(self.expected),
            "expectation": any_of(self.expected),
            "suggestions": list(self.suggestions),
        }


def shown(word: str) -> str:
    """A word of the user in quotes, cut when it is long."""
    cut = word if len(word) <= _SHOWN else word[: _SHOWN - 3] + "..."
    return f"'{cut}'"


def any_of(words: Sequence[str]) -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
