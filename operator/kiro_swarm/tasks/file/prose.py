"""Dependencies in the words of a file: told where no edge says the same, never read.

Used by ``parser`` when all edges are known. A sentence counts where what it names is a task of
the file. English, Chinese, Japanese and Korean; in titles, too, and outside of tasks.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import PATTERN
from kiro_swarm.tasks.file.lines import Document
from kiro_swarm.tasks.file.model import Remarks

_ID: Final = rf"[#`*_(\"]{{0,3}}(?P<id>{PATTERN})(?![\w%-])(?!\.[0-9])"
#: What follows a mere number that counts something: `waits for 2 seconds`.
_COUNTED: Final = (
    r"(?!\s(?:more|other|or\s|of\s|to\s|(?!(?:is|has|was|as|does)\b)[a-z]+s\b|second|minute|hour"
    r"|day|week|item|time|retry|byte|[kmg]i?b\b|ms\b))"
)
#: Letters follow it without a blank where a language has none.
_INSIDE: Final = rf"(?P<id>{PATTERN})(?![A-Za-z0-9_%-])(?!\.[0-9])"
_OF: Final = (
    r"(?:the\s)?(?:(?:completion|results?|output|end)\sof\s|(?:completing|finishing)\s)?"
)
_DONE: Final = (
    r"[`*_)\"]{0,3}\s(?:(?:is|are|has|have)\s)?(?:been\s)?(?:complete|done|finish|merge|land)"
)
_VERB: Final = (
    r"\b(?:depend(?:s|ent|ing|ency)?\s(?:up)?on|blocked\s(?:by|on)|wait(?:s|ing)?\s(?:for|on)"
    r"|builds?\s(?:up)?on|relies\son|prerequisites?:?)\s"
)
#: A verb that says it all, and what does so only with the word for a task or for its end.
_SENTENCES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_VERB}{_OF}tasks?\s{_ID}",
        rf"{_VERB}{_OF}{_ID}{_COUNTED}",
        rf"\b(?:requires?|needs?|after|once|following|follows|until|assumes)\s{_OF}tasks?\s{_ID}",
        rf"\b(?:requires?|needs?|after|following)\s(?:the\s)?(?:completion\sof|completing"
        rf"|finishing)\s{_ID}",
        rf"\b(?:after|once|until|when)\s{_ID}{_DONE}",
        rf"\b(?P<ahead>before|unblocks|blocks|precedes|enables)\s{_OF}tasks?\s{_ID}",
        rf"\b(?P<ahead>tasks?)\s{_ID}\s(?:must|should|has\sto|needs\sto)\s"
        r"(?:be|come|run|finish|complete|land)",
        rf"(?:依赖于?|依賴於?|等待|等|需要先?完成|完成)\s?(?:任务|任務)?\s?{_INSIDE}",
        rf"(?:在|于)\s?(?:任务|任務)?\s?{_INSIDE}\s?(?:完成)?\s?(?:之后|之後|后|後)",
        rf"(?:タスク)?\s?{_INSIDE}\s?(?:に依存|(?:の)?完了後|の後|が完了)",
        rf"タスク\s?{_INSIDE}[^\n。]{{0,9}}(?:前提|より後)",
        rf"(?:작업|태스크)?\s?{_INSIDE}\s?(?:에\s?의존|완료\s?후|이후)",
    )
)
_HINT: Final = re.compile(
    r"depend|block|wait|build|rel(?:y|ies)|prereq|requir|need|after|once|follow|until|before"
    r"|assum|preced|enabl|when|task|依|等|完成|在|于|後|完了|前提|より|의존|후",
    re.IGNORECASE,
)
#: A mere number is a task at the start of a line, or after the word for one.
_NAMED: Final = re.compile(
    rf"(?P<sure>\A\W{{0,9}}|\btasks?\s|任务\s?|任務\s?|タスク\s?)?(?<![\w.-])(?P<id>{PATTERN})"
    r"(?![\w-])",
    re.IGNORECASE,
)
_MOST_LISTED: Final = 50
#: What a list of tasks goes on with: `depends on 3.1, 3.2 and task 3.6`.
_FURTHER: Final = re.compile(
    rf"\s?(?:,|、|;|&|-|–|\band\b|\bto\b)\s?(?:and\s)?(?:tasks?\s)?(?P<id>{PATTERN})(?![\w%-])",
    re.IGNORECASE,
)
#: So much of a line is looked at.
_LONGEST: Final = 2_000


def report_prose(
    document: Document,
    owners: dict[int, Draft],
    groups: Groups,
    edges: Edges,
    remarks: Remarks,
) -> None:
    """A remark for each line whose words name a task that must be done before.

    :param owners: by number of a line, the task whose text it is.
    """
    titled = {draft.line: draft for draft in groups.drafts.values()}
    fields = {entry.line for draft in groups.drafts.values() for entry in draft.fields}
    # Its descriptions are of waves, and it is read itself.
    graphs = {
        line.number
        for block in document.blocks
        if any('"waves"' in line.text for line in block.lines)
        for line in block.lines
    }
    for line in document.lines:
        text = line.text[:_LONGEST]
        if line.number in fields or line.number in graphs or not _HINT.search(text):
            continue
        inside = titled.get(line.number) or owners.get(line.number)
        found = _found(text, inside, groups)
        if found is None:
            continue
        owner = inside or _subject(text[: found.start()], groups)
        if line.code and owner is None:
            continue  # words in code are about tasks where they name both
        # In the text of a task the order of the lines is no answer to what it says.
        below = line.number not in owners
        if _holds(found, owner, groups, edges, implied=below):
            continue
        whose = f"of task {inside.id}" if inside else "outside of the tasks"
        said = " ".join(found.group().split())
        remarks.add(
            "warning",
            "prose-dependency",
            line.number,
            f"'{said}' in the text {whose} is not read as a dependency; write "
            "'_Depends: ..._' to make it one",
            line.column + found.start(),
        )


def _found(
    text: str, owner: Optional[Draft], groups: Groups
) -> Optional[re.Match[str]]:
    """The first sentence that names a task which is there, and is not its own."""
    for sentence in _SENTENCES:
        for match in sentence.finditer(text):
            name = match.group("id")
            own = owner is not None and _same(name, owner.id)
            known = groups.members(name) is not None
            if not own and (known or "task" in match.group().lower()):
                return match
    return None


def _holds(
    found: re.Match[str],
    owner: Optional[Draft],
    groups: Groups,
    edges: Edges,
    *,
    implied: bool,
) -> bool:
    """Whether the edges say what a sentence says, or it says nothing of two tasks."""
    if owner is None:
        return edges.sequential or "task" not in found.group().lower()
    ahead = bool(found.groupdict().get("ahead"))
    return all(
        edges.is_before(
            owner.id if ahead else name,
            groups.drafts.get(name, owner) if ahead else owner,
            implied=implied,
        )
        for name in _listed(found, groups)
    )


def _listed(found: re.Match[str], groups: Groups) -> list[str]:
    """The task that a sentence names, and those that stand in a list with it."""
    names, at = [found.group("id")], found.end("id")
    while len(names) < _MOST_LISTED:
        match = _FURTHER.match(found.string, at)
        if match is None or groups.members(match.group("id")) is None:
            break
        names.append(match.group("id"))
        at = match.end()
    return names


def _subject(before: str, groups: Groups) -> Optional[Draft]:
    """The task that a sentence is about: the last one named in front of the verb."""
    named = [
        match.group("id")
        for match in _NAMED.finditer(before)
        if match.group("sure") is not None or not match.group("id").isdigit()
    ]
    return groups.drafts.get(named[-1]) if named else None


def _same(name: str, own: str) -> bool:
    return name == own or own.startswith(f"{name}.") or name.startswith(f"{own}.")
