"""Parts of a plan that have a number: ``Phase 2``, ``Layer 1``, ``第二阶段``, ``Giai đoạn 2``.

Used by ``sections`` for headings, by ``references`` for fields, by ``groups`` for what a part
stands for, and where sentences, tables and drawings are looked at. A part has one key in all
languages; a key has a blank in it, so it is never the id of a task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Callable, Final

from kiro_swarm.tasks.file.prose_tokens import Token

#: What the word for a phase is in other languages.
_PHASE: Final = frozenset(
    ("fase", "etapa", "étape", "этап", "фаза", "giai đoạn", "阶段", "階段", "期")
) | {"フェーズ", "단계"}
_NUMERALS: Final = {sign: value for value, sign in enumerate("一二三四五六七八九十", 1)}
_WORDS: Final = (
    r"phase|stage|milestone|sprint|iteration|section|part|step|wave|epic|layer|tier"
    r"|user story|fase|etapa|étape|этап|фаза|giai đoạn"
)
#: Those of them that are of a plan wherever they are named; a step may be of anything.
_OF_PLANS: Final = (
    r"phase|stage|milestone|sprint|iteration|wave|epic|layer|tier|user story"
    r"|fase|etapa|étape|этап|фаза|giai đoạn"
)
_ASIAN: Final = (
    r"第\s?(?P<asian_number>[0-9]{1,4}|[一二三四五六七八九十])\s?(?P<asian>阶段|階段|フェーズ|期)"
    r"|(?P<asian_word>阶段|階段|フェーズ|단계)\s?(?P<number_behind>[0-9]{1,4})"
    r"|(?P<number_first>[0-9]{1,4})\s?(?P<korean>단계)"
)
PHASE: Final = re.compile(
    rf"(?P<word>{_WORDS})\s+(?P<number>[0-9]{{1,4}}|[IVX]{{1,5}}|[A-Z])\b|{_ASIAN}",
    re.IGNORECASE,
)
#: Stand between a part and another name of it: `Phase 3: User Story 1`.
_BETWEEN_NAMES: Final = re.compile(r"[\s:：–—(-]{1,6}")
_STORY: Final = re.compile(r"US(?P<number>[0-9]{1,3})(?![\w-])")
_FURTHER: Final = (
    r"\s{0,2}(?:,|&|-|–|—|\b(?:and|to|through|und|bis|y|et|e|và)\b)\s{0,2}(?:and\s)?[0-9]{1,4}"
    r"(?![\w%]|\.[0-9])"
)
_MENTION: Final = re.compile(
    rf"(?<![\w-])(?P<word>{_OF_PLANS})(?P<many>s?)\s+"
    r"(?P<number>[0-9]{1,4}(?![\w%]|\.[0-9])|[IVX]{1,5}\b|[A-Z]\b(?!['’]))"
    rf"(?P<further>(?:{_FURTHER}){{0,20}})"
    rf"|(?<![\w-])US(?P<story>[0-9]{{1,3}})(?![\w-])|{_ASIAN}",
    re.IGNORECASE,
)
_AND: Final = re.compile(r"\s{0,2}(?:&|\b(?:and|und|y|et|e|và)\b)")
_NUMBER: Final = re.compile(r"[0-9]{1,4}")
MAYBE: Final = re.compile(
    rf"{_OF_PLANS}|\bUS[0-9]|阶段|階段|フェーズ|期|단계", re.IGNORECASE
)


def phase_key(match: re.Match[str]) -> str:
    """``Phase 2``, ``PHASE 02`` and ``第二阶段`` -> ``phase 2``."""
    found = match.groupdict()
    word = found.get("word") or found["asian"] or found["asian_word"] or found["korean"]
    number = (
        found.get("number")
        or found["asian_number"]
        or found["number_behind"]
        or found["number_first"]
        or ""
    )
    return _key(word or "", number)


def _key(word: str, number: str) -> str:
    word = " ".join(word.lower().split())
    plain = str(_NUMERALS.get(number, number)).upper().lstrip("0")
    return f"{'phase' if word in _PHASE else word} {plain or '0'}"


def names_of(text: str) -> Iterator[str]:
    """The parts of a plan that a heading names: ``Phase 3: User Story 1`` is both."""
    at = 0
    for _ in range(2):
        phase = PHASE.match(text, at)
        found = phase or _STORY.match(text, at)
        if found is None:
            return
        yield phase_key(phase) if phase else _key("user story", found.group("number"))
        between = _BETWEEN_NAMES.match(text, found.end())
        at = between.end() if between else len(text)


def is_phase(name: str) -> bool:
    """Whether a name is that of a part, not the id of a task."""
    return " " in name and PHASE.fullmatch(name) is not None


def of_task(name: str) -> str:
    """A task or a part in a sentence: ``task 2``, ``phase 2``."""
    return name if is_phase(name) else f"task {name}"


def below(name: str) -> str:
    """Where a field of a task is written, or of a part, which has no place for one."""
    return f"each task of {name}" if is_phase(name) else name


def with_phases(
    tokens: list[Token], text: str, known: Callable[[str], bool]
) -> list[Token]:
    """The tokens of a text, each part that is known as one id."""
    if not MAYBE.search(text):
        return tokens
    found = [place for place in mentions(text) if known(place.text)]
    return _merged(tokens, found) if found else tokens


def mentions(text: str) -> Iterator[Token]:
    """The parts of a plan that a text names, known or not, as tokens of their keys."""
    for match in _MENTION.finditer(text):
        story = match.group("story")
        if story is not None:
            yield Token("id", _key("user story", story), *match.span())
            continue
        begin = match.start()
        end = match.end("number") if match.group("number") else match.end()
        yield Token("id", phase_key(match), begin, end)
        further = match.group("further") or ""
        if match.group("many") or _AND.match(further):
            at = match.start("further")
            for number in _NUMBER.finditer(further):
                key = _key(match.group("word"), number.group())
                yield Token("id", key, at + number.start(), at + number.end())


def _merged(tokens: Sequence[Token], parts: Sequence[Token]) -> list[Token]:
    merged: list[Token] = []
    at = 0
    for token in tokens:
        while at < len(parts) and parts[at].end <= token.start:
            merged.append(parts[at])
            at += 1
        if at == len(parts) or token.end <= parts[at].start:
            merged.append(token)
    return merged + list(parts[at:])
