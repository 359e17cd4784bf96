"""Graphs in another shape than the one that is read: never read, but never passed over.

Used by ``parser``. A mermaid or ASCII graph, a table or a list beside the tasks often
contradicts them, so it is no source of edges; whoever drew it is told so, once a drawing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice, product
from typing import Final, Optional

from kiro_swarm.tasks.file.boxes import read_head
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import PATTERN
from kiro_swarm.tasks.file.lines import Block, Document, Line
from kiro_swarm.tasks.file.listed import Listed
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.upright import Upright

_ARROW: Final = re.compile(
    rf"(?<![\w.-])(?P<from>{PATTERN})(?:\[[^\]\n]{{0,80}}\]|\([^)\n]{{0,80}}\))?"
    # What it points to may point on.
    rf"\s{{0,4}}(?:-{{1,4}}>|=+>|→|⟶)\s{{0,4}}(?=(?P<to>{PATTERN})(?![\w-]))"
)
_LINK: Final = re.compile(r"-->|->|==>|-\.->|---|→|⟶|⇒|➜|➔|=>|<-|←")
#: A node of mermaid or of dot, with its words: `A["2. Data"]`, `a [label="2. Data"]`.
_NODE: Final = re.compile(
    r"(?<![\w.])(?P<node>\w[\w-]{0,40})\s?(?:\[label=|[\[({]{1,3})[\"'\s/]{0,3}"
    r"(?P<label>[^\"'\])}\n]{1,80})"
)
_WORD: Final = re.compile(
    r"[A-Za-z]{0,12}[-_]?(?P<id>[0-9]{1,6}(?:[._][0-9]{1,6}){0,5})"
)
_TOKEN: Final = re.compile(r"[\w.]{1,40}")
#: An id that cannot be a mere number: dotted, of a word, after the word for a task, quoted.
_SURE: Final = re.compile(
    rf"(?<![\w.-])(?:tasks?\s|任务\s?|任務\s?|タスク\s?)(?P<named>{PATTERN})(?![\w%-])"
    rf"|[\"'`](?P<quoted>{PATTERN})[.:\"'`\s]"
    rf"|(?<![\w.-])(?P<bare>{PATTERN})(?![\w%-]|\.[0-9])",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"[\"']?\b(?:depends_?on|dependencies|deps|blocked_?by|requires|prerequisites|edges"
    r"|predecessors|after|waves?|phases?|batch(?:es)?|stages?|source|target)\b[\"']?\s?:",
    re.IGNORECASE,
)
_LANGUAGES: Final = frozenset(("mermaid", "dot", "graphviz", "plantuml", "yaml", "yml"))
_ABOUT: Final = re.compile(
    r"dependenc|depends|\bgraph\b|parallel|execution (?:order|plan|sequence)"
    r"|critical path|\bwaves?\b"
    r"|(?:task|implementation|build) order|依赖|依賴|依存|의존|执行顺序|実行順|abhäng|dépend"
    r"|dipend|dependên|завис",
    re.IGNORECASE,
)


class Diagrams:
    """Looks for drawings of an order that the edges of a file do not have."""

    def __init__(
        self, document: Document, groups: Groups, edges: Edges, remarks: Remarks
    ) -> None:
        self._document = document
        self._groups = groups
        self._edges = edges
        self._remarks = remarks

    def report(
        self, tasks: Collection[int], said: Collection[int], *, sections: bool
    ) -> None:
        """One remark for each drawing, block or section.

        :param tasks: numbers of the lines that are of a task.
        :param said: numbers of the lines that something was said about already.
        :param sections: what stands in words, lists and tables, too. Beside a graph that is
            read it explains that graph.
        """
        told = set(self._arrows(tasks, said))
        listed = Listed(self._groups, self._edges, self._remarks, told | set(said))
        lines = self._document.lines
        told.update(listed.report(lines, tasks))
        drawn = {line.number for line in lines if line.code}
        upright = Upright(self._groups, self._edges, self._remarks)
        told.update(upright.report(lines, (set(tasks) - drawn) | told | set(said)))
        for block in self._document.blocks:
            waves = any('"waves"' in line.text for line in block.lines)
            if not waves and not any(line.number in told for line in block.lines):
                self._report_block(block)
        if sections:
            self._report_sections({*tasks, *said}, told)

    def _holds(self, before: str, after: str) -> bool:
        """Whether a task waits for another one, as a drawing says it."""
        known = after in self._groups.drafts
        return known and self._edges.is_before(before, after, implied=True)

    def _arrows(self, owned: Collection[int], said: Collection[int]) -> Iterator[int]:
        """A remark for each run of lines in which an arrow joins two tasks."""
        before = -1
        for line in self._document.lines:
            if line.number in said or not _LINK.search(line.text):
                continue
            if line.number <= before + 1:
                before = line.number
                yield line.number
                continue
            for match in _ARROW.finditer(line.text):
                names = match.group("from"), match.group("to")
                if line.number in owned and _is_example(line.text, match):
                    continue
                if any(self._groups.members(name) is None for name in names):
                    continue
                if self._holds(*names):
                    continue
                before = line.number
                yield line.number
                self._remarks.add(
                    "warning",
                    "diagram",
                    line.number,
                    f"the arrow from {names[0]} to {names[1]} is not read; write "
                    f"'_Depends: {names[0]}_' at task {names[1]} to make it a dependency",
                    line.column + match.start(),
                )
                break

    def _report_block(self, block: Block) -> None:
        linked = any(_LINK.search(line.text) for line in block.lines)
        keyed = any(_KEY.search(line.text) for line in block.lines)
        drawn = block.info.partition(" ")[0].lower() in _LANGUAGES
        if linked and (drawn or not keyed):
            found = self._unknown_pair(block)
        elif keyed or drawn:
            names = (n for line in block.lines for n in _sure(line.text, self._groups))
            found = list(islice(dict.fromkeys(names), 2))
        else:
            return
        if len(found) > 1:
            self._remarks.add(
                "warning",
                "diagram",
                block.line,
                f"this block names tasks ({found[0]}, {found[1]}) and is not read: a graph "
                "is a block of JSON with \"waves\", a dependency a line '_Depends: ..._'",
            )

    def _unknown_pair(self, block: Block) -> list[str]:
        """Two tasks that the links of a drawing order and the edges of the file do not."""
        nodes: dict[str, str] = {}
        for line in block.lines:
            for match in _NODE.finditer(line.text):
                name = read_head(match.group("label").strip())[0]
                if name and self._groups.members(name) is not None:
                    nodes[match.group("node")] = name
        for line in block.lines:
            parts = _LINK.split(line.text)
            ends = [self._nodes_of(part, nodes) for part in parts]
            for before, after in zip(ends, ends[1:]):
                for pair in product(before, after):
                    if pair[0] != pair[1] and not self._holds(*pair):
                        return list(pair)
        return []

    def _nodes_of(self, text: str, nodes: dict[str, str]) -> list[str]:
        found: dict[str, None] = {}
        for token in _TOKEN.findall(text[:400]):
            word = _WORD.fullmatch(token)
            name = nodes.get(token, token)
            if word and self._groups.members(name) is None:
                name = word.group("id").replace("_", ".")
            if self._groups.members(name) is not None:
                found[name] = None
        return list(found)[:8]

    def _report_sections(self, tasks: Collection[int], told: set[int]) -> None:
        """A remark for a section about an order that names tasks in words or tables."""
        lines = self._document.lines
        for start, stop in _sections(lines):
            inside = lines[start + 1 : stop]
            if any(line.number in told for line in inside):
                continue
            for line in inside:
                if line.code or line.number in tasks:
                    continue
                names = list(dict.fromkeys(_sure(line.text, self._groups)))
                if len(names) > 1:
                    self._remarks.add(
                        "warning",
                        "diagram",
                        line.number,
                        f"this line names tasks ({names[0]}, {names[1]}) in a section "
                        "about their order and is not read; write '_Depends: ..._' below "
                        "a task to make it wait",
                        line.column,
                    )
                    break


def _is_example(text: str, arrow: re.Match[str]) -> bool:
    """Whether an arrow in the words of a task is code of mere numbers: ``1->2``."""
    mere = arrow.group("from").isdigit() and arrow.group("to").isdigit()
    return mere and text.count("`", 0, arrow.start()) % 2 == 1


def _sections(lines: list[Line]) -> Iterator[tuple[int, int]]:
    """From the heading to the end of each section whose heading is about an order."""
    start: Optional[int] = None
    for place, line in enumerate(lines):
        if line.code or not line.text.startswith("#"):
            continue
        if start is not None:
            yield start, place
        start = place if _ABOUT.search(line.text[:200]) else None
    if start is not None:
        yield start, len(lines)


def _sure(text: str, groups: Groups) -> Iterator[str]:
    """Ids of tasks that are there, where a text surely means them."""
    table = text.startswith("|")
    for match in _SURE.finditer(text[:2_000]):
        bare = match.group("bare")
        name = match.group("named") or match.group("quoted") or bare
        if bare and bare.isdigit() and not table:
            continue
        if groups.members(name) is not None:
            yield name
