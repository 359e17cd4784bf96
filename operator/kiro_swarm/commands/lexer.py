"""Text to words: limits, quoting, columns. First step of the parser.

A quoted word keeps its opening quote (``"a b"`` becomes ``"a b`` without the last
quote), so that it can never be taken for a word of the language; ``plain`` removes it.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import Iterator

from kiro_swarm.commands.errors import SentenceError

#: Longest sentence, in bytes of UTF-8. The API's own limit for spec.command.
MAX_BYTES = 4096

#: A word between spaces. It begins nowhere else, so that no text makes this slow.
_WORD = re.compile('(?<![^ ])(?:[^ "=\r\n]*="[^"]*"|"[^"]*"|[^ "\r\n]+)(?![^ ])')
_UNQUOTED = re.compile('[ "]|$')
#: The content cannot be split in two ways, so no text makes this slow.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r'\\(["\\])')


def split(text: str) -> list[str]:
    """The words of a text, at least one; raises SentenceError for what is no sentence.

    Refused: too long, empty, control characters, line breaks but the last, direction
    overrides and other invisible characters, every space but the plain one, bad quotes.
    """
    if len(text) > MAX_BYTES or not text.isascii() or not text.isprintable():
        _check(text)
    words = text.split() if '"' not in text else _quoted_words(text)
    if not words:
        raise SentenceError("empty command", 1)
    return words


def _quoted_words(text: str) -> list[str]:
    """As ``scan``, at once where there are only plain words and quotes."""
    text = text.rstrip("\r\n")
    found = _WORD.findall(text)
    left = len(text) - sum(map(len, found))
    if "\\" in text or (" ".join(found) != text and _WORD.sub("", text) != " " * left):
        return [word for word, _ in scan(text)]
    return [word[:-1] if word[-1] == '"' else word for word in found]


def _check(text: str) -> None:
    """Raises SentenceError for a text that is too long or cannot be shown."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise SentenceError(f"a sentence has at most {MAX_BYTES} bytes", 1)
    text = text.rstrip("\r\n")
    if not text.isprintable():
        raise _unprintable(text)


def _unprintable(text: str) -> SentenceError:
    """Names the first character that may not stand in a sentence."""
    column, bad = next(
        (column, char) for column, char in enumerate(text, 1) if not char.isprintable()
    )
    category = unicodedata.category(bad)
    if category == "Cc":
        what = "control character"
    elif category.startswith("Z"):
        what = "unusual space"
    else:
        what = "invisible character"
    return SentenceError(f"{what} U+{ord(bad):04X} at column {column}", column)


def scan(text: str) -> Iterator[tuple[str, int]]:
    """The same words, each with the column where it begins."""
    text = text.rstrip("\r\n")
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        start = at
        at = next(_UNQUOTED.finditer(text, at)).start()
        word = text[start:at]
        if text[at : at + 1] == '"':
            if word and word.find("=") != len(word) - 1:
                raise SentenceError(
                    f"unexpected quote inside a word at column {at + 1}; "
                    "put the whole word in quotes",
                    at + 1,
                )
            content, at = _quoted(text, at)
            word += '"' + content
        yield word, start + 1


def _quoted(text: str, opening: int) -> tuple[str, int]:
    """Content of the quotes that open at index ``opening``, and the index after them."""
    found = _QUOTED.match(text, opening)
    if found is None:
        raise SentenceError(
            f"missing closing quote for the one opened at column {opening + 1}",
            opening + 1,
            ('"',),
        )
    at = found.end()
    if text[at : at + 1] not in ("", " "):
        raise SentenceError(
            f"missing space after the closing quote at column {at}", at + 1, (" ",)
        )
    return _ESCAPED.sub(r"\1", found[1]), at


def column_of(text: str, index: int) -> int:
    """Column of the word with this index; one after the text when there is none."""
    found = next(islice(scan(text), index, None), None)
    return found[1] if found else len(text.rstrip("\r\n")) + 1


def as_written(word: str) -> str:
    """A word with both its quotes, if it had some."""
    return word + '"' if '"' in word else word


def plain(word: str) -> str:
    """A word or value without the mark of having been quoted."""
    return word[1:] if word[:1] == '"' else word
