"""Dependencies in the words of a file: told where no edge says the same, never read.

Used by ``parser`` when all edges are known. A sentence counts where what it names is a task of
the file, in details, in titles and outside of tasks; ``prose_grammar`` says what a sentence is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from itertools import product
from typing import Final, Optional

from kiro_swarm.tasks.file.composed import compose
from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import Document, Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.phases import MAYBE as PARTS
from kiro_swarm.tasks.file.phases import below, is_phase, with_phases
from kiro_swarm.tasks.file.prose_grammar import Sentence, sentences
from kiro_swarm.tasks.file.prose_tokens import Token, tokens_of
from kiro_swarm.tasks.file.prose_words import after_task

#: So much of a line is looked at.
_LONGEST: Final = 2_000
_SHOWN: Final = 80
#: A line without an id or words for all tasks says nothing.
_MAYBE: Final = re.compile(
    "[0-9]|previous|prior|preced|earlier|above|before|everything|other|rest|vor|davor|oben"
    "|précéd|anterior|acima|prece|sopra|пред|trước|trên|khác|còn lại|前|上|先|以|其他|이전|위|앞",
    re.IGNORECASE,
)
#: So much of a line is looked at for its step.
_STEP_WORDS: Final = 80
#: A list of steps of its own: what the words of such a task call a step is none of the file.
_STEP: Final = re.compile(
    r"\s{0,40}(?:[-*+]\s+)?[*_(]{0,3}(?:(?:step|schritt|paso|étape)\s)?[0-9]{1,3}[.):]",
    re.IGNORECASE,
)


def report_prose(
    document: Document,
    owners: dict[int, Draft],
    groups: Groups,
    edges: Edges,
    remarks: Remarks,
    told: Collection[int],
) -> set[int]:
    """A remark for each sentence about an order that the edges do not have.

    Returns the numbers of the lines that something was said about.

    :param owners: by number of a line, the task whose text it is.
    :param told: numbers of lines that something was said about already.
    """
    prose = _Prose(document, owners, groups, edges, remarks)
    prose.report(told)
    return prose.told


class _Prose:
    def __init__(
        self,
        document: Document,
        owners: dict[int, Draft],
        groups: Groups,
        edges: Edges,
        remarks: Remarks,
    ) -> None:
        self._document = document
        self._owners = owners
        self._groups = groups
        self._edges = edges
        self._remarks = remarks
        drafts = groups.drafts.values()
        self._titled = {draft.line: draft for draft in drafts}
        #: Where the first field of a line begins, by its number.
        self._fields: dict[int, int] = {}
        for draft in drafts:
            for entry in draft.fields:
                first = self._fields.get(entry.line, entry.column)
                self._fields[entry.line] = min(first, entry.column)
        self._steps: dict[str, bool] = {}
        self.told: set[int] = set()

    def report(self, told: Collection[int]) -> None:
        """All remarks, line by line."""
        # Its descriptions are of waves, and it is read itself.
        passed = set(told) | {
            line.number
            for block in self._document.blocks
            if any('"waves"' in line.text for line in block.lines)
            for line in block.lines
        }
        for line in self._document.lines:
            text = line.text
            if line.number in passed:
                continue
            if _MAYBE.search(text) or PARTS.search(text):
                self._report_line(line, self._text(line))

    def _text(self, line: Line) -> str:
        """What of a line is prose: a field says what it says."""
        text = line.text[:_LONGEST]
        titled = self._titled.get(line.number)
        field = self._fields.get(line.number)
        if field is None:
            return text
        if titled is None or not titled.title:
            return text[: max(0, field - line.column)]
        return text[: text.find(titled.title) + len(titled.title)]

    def _report_line(self, line: Line, text: str) -> None:
        inside = self._titled.get(line.number) or self._owners.get(line.number)
        tokens = with_phases(tokens_of(text), text, self._known)
        for found in sentences(tokens, self._known, steps=self._has_steps(inside)):
            owner = inside.id if inside else self._subject(tokens, found)
            subjects = found.subject or ((owner,) if owner is not None else ())
            # Words in code are about tasks where they name both.
            if line.code and not subjects and found.kind == "waits":
                continue
            missing = self._missing(line, found, subjects)
            if missing is not None:
                self._tell(line, text, found, inside, missing)

    def _missing(
        self, line: Line, found: Sentence, subjects: tuple[str, ...]
    ) -> Optional[str]:
        """What to write where the edges do not say what a sentence says."""
        named = dict.fromkeys((*subjects, *found.ids))
        unknown = [name for name in named if not self._known(name)]
        if unknown:
            return self._unknown(found, subjects, unknown)
        if found.kind == "order":
            return self._order(found)
        if found.kind == "beside":
            return self._beside(found, subjects)
        if found.what == "rest":
            held = not subjects or self._edges.is_before_rest(subjects)
            listed = ", ".join(subjects)
            return None if held else _waits(listed, "the tasks that wait", "them")
        if found.what != "ids":
            return self._above(found, subjects)
        # In the text of a task the order of the lines is no answer to what it says of itself.
        inside = self._owners.get(line.number)
        implied = (
            inside is None
            or found.weak
            or subjects != (inside.id,)
            or any(map(is_phase, found.ids))
        )
        if inside is not None and found.loose and all(map(is_phase, found.ids)):
            return None  # `Review meeting after phase 1` in the text of a task
        if not subjects:
            if all(map(is_phase, found.ids)):
                return None  # `After phase 2:` above a list of what is then to be had
            if self._edges.sequential or not found.named or found.weak:
                return None
            return _fix(list(found.ids), found, None)
        for owner in subjects:
            names = [name for name in found.ids if not self._edges.overlap(name, owner)]
            if not self._holds(names, found, owner, implied=implied):
                return _fix(names, found, owner)
        return None

    def _unknown(
        self, found: Sentence, subjects: tuple[str, ...], unknown: list[str]
    ) -> Optional[str]:
        """What to say of ids that no task has, and of those beside them."""
        owner = next(iter(subjects), None)
        said = "; ".join(
            f"there is no task {name}{self._groups.nearest(name, owner or '')}"
            for name in unknown
        )
        known = tuple(name for name in found.ids if name not in unknown)
        if not known or owner in unknown or found.kind != "waits":
            return said
        rest = replace(found, ids=known, listed=", ".join(known))
        return f"{said}; {_fix(list(known), rest, owner)}"

    def _order(self, found: Sentence) -> Optional[str]:
        for before, after in zip(found.steps, found.steps[1:]):
            for name in after:
                needed = [one for one in before if not self._edges.overlap(one, name)]
                for one in needed:
                    if not self._edges.is_before(one, name, implied=True):
                        return _waits(", ".join(needed), name, "it")
        return None

    def _beside(self, found: Sentence, subjects: tuple[str, ...]) -> Optional[str]:
        ids = found.ids
        pairs = (
            zip(ids, ids[1:])
            if found.steps and len(ids) > 1
            else product(subjects, ids)
        )
        for one, other in pairs:
            for first, last in ((one, other), (other, one)):
                if not self._edges.overlap(first, last) and self._edges.is_after(
                    last, first
                ):
                    return (
                        f"{last} waits for {first}: write '_Depends: ..._' with what each "
                        "really waits for, or 'none', to let them run side by side"
                    )
        return None

    def _above(self, found: Sentence, subjects: tuple[str, ...]) -> Optional[str]:
        nearest = found.what == "previous"
        for owner in subjects:
            if not self._edges.is_after_above(owner, nearest=nearest):
                what = "the id of that task" if nearest else "all previous tasks"
                where = owner if is_phase(owner) else f"task {owner}"
                return _waits(what, where, "it")
        return None

    def _tell(
        self,
        line: Line,
        text: str,
        found: Sentence,
        inside: Optional[Draft],
        advice: str,
    ) -> None:
        where = "outside of the tasks"
        if inside:
            part = "title" if line.number == inside.line else "text"
            where = f"in the {part} of task {inside.id}"
        said = " ".join(text[found.start : found.end].split())
        short = said if len(said) <= _SHOWN else f"{said[:_SHOWN]}..."
        self.told.add(line.number)
        self._remarks.add(
            "warning",
            "prose-dependency",
            line.number,
            f"'{short}' {where} is not read as a dependency; {advice}",
            line.column + found.start,
        )

    def _known(self, name: str) -> bool:
        return self._groups.members(name) is not None

    def _has_steps(self, inside: Optional[Draft]) -> bool:
        """Whether a step is a task: the words are of a task without steps of its own."""
        if inside is None:
            return False
        known = self._steps.get(inside.id)
        if known is None:
            known = not any(
                _STEP.match(compose(line[:_STEP_WORDS]).text) for line in inside.body
            )
            self._steps[inside.id] = known
        return known

    def _holds(
        self, names: list[str], found: Sentence, owner: str, *, implied: bool
    ) -> bool:
        """Whether the edges say what a sentence says of one task."""
        return all(
            self._edges.is_before(
                owner if found.ahead else name,
                name if found.ahead else owner,
                implied=implied,
            )
            for name in names
        )

    def _subject(self, tokens: list[Token], found: Sentence) -> Optional[str]:
        """The task that a sentence is about: the last one named in front of it.

        A mere number is a task at the start of a line, or after the word for one.
        """
        last: Optional[str] = None
        row = bool(tokens) and tokens[0].text == "|"
        for at, token in enumerate(tokens):
            if token.start >= found.start:
                break
            if row and last is not None and token.text == "|":
                break  # a row of a table is about what its first cell names
            if token.kind != "id" or not self._known(token.text):
                continue
            first = all(before.kind == "sign" for before in tokens[:at][:9]) and at < 9
            if first or not token.text.isdigit() or after_task(tokens, at) is not None:
                if row and last is not None and not is_phase(token.text):
                    break
                last = token.text
                if row and is_phase(last):
                    break
        return last


def _fix(names: list[str], found: Sentence, owner: Optional[str]) -> str:
    """What to write, and where."""
    listed = found.listed if len(names) == len(found.ids) else ", ".join(names)
    if found.ahead and owner is not None:
        return _waits(owner, listed, "them" if len(names) > 1 else "it")
    where = "the task that waits"
    if owner is not None:
        where = below(owner) if is_phase(owner) else f"task {owner}"
    return f"write '_Depends: {listed}_' below {where} to make it one"


def _waits(needed: str, where: str, it: str) -> str:
    return f"write '_Depends: {needed}_' below {below(where)} to make {it} wait"
