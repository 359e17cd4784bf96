"""Fields of a name that is not known, which name tasks or are misspelt: told, not read.

Used by ``parser`` when all tasks are known. ``_Requires: 4_`` may be a dependency or a number of
requirements; only its author knows. What has a name that says otherwise (``_Design: 1.2_``) and
what is a mere number (``_Sprint: 2_``) is no alarm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Optional

from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.enclosed import enclosed
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.misspelt import meant, without_colon
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.names import is_soft, kind_of
from kiro_swarm.tasks.file.references import read_references
from kiro_swarm.tasks.file.values import NOTHING

#: So many ids of a value are looked at for a remark.
_SHOWN: Final = 5
_FIELD: Final = re.compile(
    r"(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(?P<open>_{1,3}|\*{1,3})?"
    r"(?P<name>[^\W\d_][^*:：|`\n]{0,39}?)(?P<mid>[_*]{0,3})[ \t]*[:：]"
    r"[_*]{0,3}[ \t]*(?P<value>[^|]{1,300})"
)
#: Part of a name that speaks of an order.
_ORDER: Final = re.compile(
    r"depend|prereq|predecess|requir|after|before|block|follow|wait|need|preced|enabl|upstream"
    r"|downstream|order|first|\bdeps?\b",
    re.IGNORECASE,
)
#: Part of a name whose numbers are of something else.
_OTHER: Final = re.compile(
    r"requirement|design|propert|version|section|chapter|story|stories|\bus\b|\bn?fr\b|\bac\b"
    r"|criteri|accept|valid|verif|test|implement|satisf|cover|trace|ref|spec|goal|rule|issue"
    r"|bug|phase|step|feature|milestone|epic|release|page|port|correct|objective|source|adr"
    r"|parallel|concurren|related|similar|see also|owner|assign"
    r"|需求|要件|要求|设计|設計|验证|驗證|検証|验收|測試|测试|属性|性质|规范|章|요구|설계|검증|并行|並行|병행|関連|相关",
    re.IGNORECASE,
)


def report_near_fields(
    lines: Iterable[Line], owners: dict[int, Draft], groups: Groups, remarks: Remarks
) -> set[int]:
    """A remark for each line of a task that is a field of tasks and has an unknown name.

    Returns the numbers of these lines.
    """
    told: set[int] = set()
    drafts = groups.drafts.values()
    places = {(entry.line, entry.column) for d in drafts for entry in d.fields}
    known = {line for line, _ in places}
    titled = {draft.line: draft for draft in drafts}
    for line in lines:
        owner = owners.get(line.number)
        within = owner or titled.get(line.number)
        if within is None or line.code:
            continue
        found = _enclosed(line, within, groups, places)
        if found is None and owner is not None and line.number not in known:
            found = _unread(line.text, owner, groups)
        if found:
            message, column = found
            told.add(line.number)
            remarks.add(
                "warning", "unread-field", line.number, message, line.column + column
            )
    return told


def _enclosed(
    line: Line, owner: Draft, groups: Groups, places: set[tuple[int, int]]
) -> Optional[tuple[str, int]]:
    """What is to be said of a field in brackets, quotes or code, and of which column."""
    for name, value, start in enclosed(line.text):
        read = (line.number, line.column + start) in places
        if not read and _may_be(value, owner):
            said = (
                f"the field '{name}' of task {owner.id} stands in brackets, quotes, code or "
                "behind a sign and is not read; "
            )
            advice = f"write '_{name}: {value[:80]}_' on a line of its own"
            return said + (_not_there(value, owner, groups) or advice), start
    return None


def _unread(text: str, owner: Draft, groups: Groups) -> Optional[tuple[str, int]]:
    """What is to be said of a line, and of which column; None for a line without such a field."""
    bare = without_colon(text)
    # Without a colon and without a task it is a sentence: `_blocks 9_`.
    known = bare is not None and not _not_there(bare[1], owner, groups)
    if bare is not None and known and _may_be(bare[1], owner):
        name, value = bare[0], bare[1].strip()[:80]
        said = (
            f"the field '{name}' of task {owner.id} has no ':' and is not read; write"
        )
        return f"{said} '_{name}: {value}_'", 0
    match = _FIELD.match(text) if ":" in text or "：" in text else None
    if match is None:
        return None
    name, column = match.group("name"), match.start("name")
    slip = match.group("open") and kind_of(name) is None and meant(name)
    if slip:
        said = f"the field '{name}' of task {owner.id} is not known and not read"
        return f"{said}; did you mean '{slip}'?", column
    if not _is_near(match, owner, groups):
        return None
    said = f"the field '{name}' of task {owner.id} names tasks and is not read"
    return f"{said}; write '_Depends: ..._' if it is a dependency", column


def _is_near(match: re.Match[str], owner: Draft, groups: Groups) -> bool:
    name = match.group("name").strip()
    value = match.group("value").strip(" \t*_.")
    if kind_of(name) or is_soft(name) or value.lower() in NOTHING:
        return False
    ordered = _ORDER.search(name) is not None
    if not ordered and _OTHER.search(name):
        return False
    names = _tasks_in(value, groups)
    if not names or owner.id in names:
        return False
    sure = len(names) > 1 or "task" in value.lower() or not names[0].isdigit()
    marked = bool(match.group("open"))
    return ordered or (marked and (sure or not name.isascii()))


def _may_be(value: str, owner: Draft) -> bool:
    """Whether a value is ids of other tasks and nothing else, whether there are such or not."""
    names = _ids_in(value.strip(" \t*_."))
    return bool(names) and owner.id not in (names or ())


def _not_there(value: str, owner: Draft, groups: Groups) -> str:
    """What to say of a value with ids that no task has; empty where all are there."""
    return "; ".join(
        f"there is no task {name}{groups.nearest(name, owner.id)}"
        for name in (_ids_in(value.strip(" \t*_.")) or ())[:_SHOWN]
        if groups.members(name) is None
    )


def _tasks_in(value: str, groups: Groups) -> Optional[list[str]]:
    """The tasks that are all that a value says, or None."""
    names = _ids_in(value) or []
    return names if all(groups.members(name) is not None for name in names) else None


def _ids_in(value: str) -> Optional[list[str]]:
    """The ids that are all that a value says, or None."""
    references = read_references(value)
    if references.leftover or not references.found:
        return None
    names: list[str] = []
    for reference in references.found:
        if reference.kind not in ("task", "range"):
            return None
        names += filter(None, (reference.text, reference.last))
    return names
