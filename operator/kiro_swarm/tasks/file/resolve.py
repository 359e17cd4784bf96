"""References of the dependency fields -> leaves, and a remark for each that is none.

Used by ``edges``. Nothing is resolved by guessing. A task of another spec cannot be
watched from here, so whoever waits for one is marked: it stays paused until a person says
that the other one is there.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import Final, Optional

from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.fields import Field
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.references import (
    Reference,
    References,
    read_references,
)

#: What all references of a file may stand for, together.
MAX_REFERENCES: Final = 2_000_000
#: So many are kept for a task; a remark says all of them, one holds it as well as many.
_MAX_EXTERNAL: Final = 20
_VERBS: Final = {"depends": "depends on", "blocks": "blocks"}
_LAST_NUMBER: Final = re.compile(r"(.*?)([0-9]+)([a-z]?)", re.DOTALL)


class TooManyReferences(Exception):
    """The references of the file stand for more tasks than we carry."""


class Resolver:
    """``external[id]``: what a task or a group waits for in other specs, as written."""

    def __init__(self, groups: Groups, remarks: Remarks) -> None:
        self.external: dict[str, list[str]] = {}
        self._groups = groups
        self._remarks = remarks
        self._numbered = _numbered(groups)
        self._own: dict[str, set[int]] = {}
        self._count = 0

    def resolve(self, draft: Draft, entry: Field) -> Optional[list[int]]:
        """Leaves that one field names; None when it turned out to be plain text."""
        references = read_references(entry.value)
        if entry.soft and not self._are_tasks(draft, references):
            self._remarks.add(
                "warning",
                "unread-field",
                entry.line,
                f"'{entry.value[:80]}' of task {draft.id} is not read as a dependency: not "
                "all of it are other tasks of this file; write '_Depends: ..._' if it is "
                "one",
                entry.column,
            )
            return None
        if references.leftover:
            words = " ".join(references.leftover)[:80]
            plain = not any(c.isdigit() for c in words)
            # `Dependencies: react` is about packages; `_Depends: Phase 2_` is about tasks.
            harmless = plain and (bool(references.found) or not entry.marked)
            self._remarks.add(
                "warning" if harmless else "error",
                "dependency-text" if harmless else "unreadable-dependency",
                entry.line,
                f"cannot read '{words}' in the dependencies of task {draft.id}: "
                "write task ids separated by commas, comments in parentheses",
                entry.column,
            )
            if not references.found and harmless:
                return None
        self._report_rest(draft, entry)
        found: list[int] = []
        for reference in references.found:
            members = self._members(draft, entry, reference)
            self._count += len(members)
            if self._count > MAX_REFERENCES:
                raise TooManyReferences(
                    f"too many dependencies at task {draft.id} (line {entry.line}): "
                    f"at most {MAX_REFERENCES} for a file"
                )
            if self._is_part(draft, members):
                self._remarks.add(
                    "error",
                    "self-dependency",
                    entry.line,
                    f"task {draft.id} {_VERBS[entry.kind]} {reference.text}, which is "
                    + (
                        "itself"
                        if reference.text == draft.id
                        else "a part or a group of it"
                    ),
                    entry.column,
                )
            else:
                found += members
        return found

    def _report_rest(self, draft: Draft, entry: Field) -> None:
        """A remark for ids that a person takes for a part of a field and that are none."""
        text = ""
        if entry.unended:
            text = f"the field of task {draft.id} ends as if it went on"
        elif any(
            self._groups.members(name) is not None and name != draft.id
            for reference in read_references(entry.behind).found
            for name in (reference.text, reference.last)
        ):
            text = (
                f"'{entry.behind[:80]}' behind the field of task {draft.id} is not read"
            )
        if text:
            self._remarks.add(
                "warning",
                "unread-field",
                entry.line,
                f"{text}; write all ids in one line, separated by commas, in front of the "
                "mark that closes it",
                entry.column,
            )

    def _are_tasks(self, draft: Draft, references: References) -> bool:
        """Whether all that a field names are tasks of this file, and none is its own."""
        for reference in references.found:
            names = [reference.text, reference.last]
            if reference.kind in ("task", "range"):
                members = [self._groups.members(name) for name in filter(None, names)]
                if None in members or any(
                    self._is_part(draft, m or []) for m in members
                ):
                    return False
            elif reference.kind == "external":
                return False
        return True

    def _is_part(self, draft: Draft, members: list[int]) -> bool:
        if draft.id not in self._own:
            self._own[draft.id] = set(self._groups.members(draft.id) or ())
        return not self._own[draft.id].isdisjoint(members)

    def _members(self, draft: Draft, entry: Field, reference: Reference) -> list[int]:
        """Leaves that one reference stands for; a remark where it stands for none."""
        text = reference.text
        if reference.kind == "task":
            members = self._groups.members(text)
            return self._unknown(draft, entry, text) if members is None else members
        if reference.kind == "range":
            return self._range(draft, entry, reference)
        if reference.kind == "phase":
            return self._phase(draft, entry, text)
        if reference.kind == "above":
            own = self._groups.members(draft.id)
            return list(range(own[0])) if own else []
        if entry.kind == "blocks":
            self._remarks.add(
                "warning",
                "dependency-text",
                entry.line,
                f"task {draft.id} cannot hold '{text[:80]}' of another spec back: write "
                "the dependency there",
                entry.column,
            )
            return []
        kept = self.external.setdefault(draft.id, [])
        if len(kept) < _MAX_EXTERNAL:
            kept.append(text)
        self._remarks.add(
            "warning",
            "cross-spec-dependency",
            entry.line,
            f"task {draft.id} waits for '{text[:80]}' of another spec, which this swarm "
            f"does not see: it stays paused until somebody says 'resume task {draft.id}'",
            entry.column,
        )
        return []

    def _unknown(self, draft: Draft, entry: Field, name: str) -> list[int]:
        self._remarks.add(
            "error",
            "unknown-dependency",
            entry.line,
            f"task {draft.id} {_VERBS[entry.kind]} {name}, which is not defined"
            + self._groups.nearest(name, draft.id).replace(",", ";", 1),
            entry.column,
        )
        return []

    def _range(self, draft: Draft, entry: Field, reference: Reference) -> list[int]:
        """The tasks from one id to another that differ in their last number."""
        ends = []
        for name in (reference.text, reference.last):
            if self._groups.members(name) is None:
                return self._unknown(draft, entry, name)
            ends.append(_split(name))
        (prefix, low), (other, high) = ends
        if prefix != other or low > high:
            self._remarks.add(
                "error",
                "unreadable-dependency",
                entry.line,
                f"'{reference.text}-{reference.last}' of task {draft.id} is no range of "
                "ids: write all of them, separated by commas",
                entry.column,
            )
            return []
        inside = self._numbered[prefix]
        start = bisect_left(inside, (low, ""))
        stop = bisect_right(inside, (high, "\uffff"))
        found: list[int] = []
        for _, name in inside[start:stop]:
            found += self._groups.members(name) or ()
        return found

    def _phase(self, draft: Draft, entry: Field, key: str) -> list[int]:
        leaves = self._groups.members(key)
        if leaves is not None:
            return leaves
        word, _, number = key.partition(" ")
        members = self._groups.members(number)
        if members is not None and self._groups.is_group(number):
            self._remarks.add(
                "warning",
                "phase-as-group",
                entry.line,
                f"there is no heading '{word.capitalize()} {number}'; task {draft.id} "
                f"waits for all tasks of group {number}",
                entry.column,
            )
            return members
        self._remarks.add(
            "error",
            "unknown-dependency",
            entry.line,
            f"task {draft.id} {_VERBS[entry.kind]} {word.capitalize()} {number}, which is "
            "not defined: no heading and no group has that name",
            entry.column,
        )
        return []


def _split(name: str) -> tuple[str, int]:
    """An id without its last number, and that number."""
    match = _LAST_NUMBER.fullmatch(name)
    assert match is not None  # noqa: S101 (every id has a number)
    return match.group(1), int(match.group(2))


def _numbered(groups: Groups) -> dict[str, list[tuple[int, str]]]:
    """All defined ids that differ in their last number only, in order."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in groups.names():
        prefix, number = _split(name)
        found.setdefault(prefix, []).append((number, name))
    for names in found.values():
        names.sort()
    return found
