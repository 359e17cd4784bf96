"""Graphs in another shape than the one that is read: never read, but never passed over.

Used by ``parser``. A mermaid or ASCII graph, a table or a list beside the tasks often
contradicts them, so it is no source of edges; whoever drew it is told so, once a drawing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain, islice, product
from typing import Final, Optional

from kiro_swarm.tasks.file import arrows
from kiro_swarm.tasks.file.drawn import Drawn, Labels
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import PATTERN
from kiro_swarm.tasks.file.lines import Block, Document, Line
from kiro_swarm.tasks.file.listed import Listed
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.phases import MAYBE as PARTS
from kiro_swarm.tasks.file.phases import mentions
from kiro_swarm.tasks.file.upright import Upright

_ARROW: Final = re.compile(
    rf"(?<![\w.-])(?P<from>{PATTERN})(?:\[[^\]\n]{{0,80}}\]|\([^)\n]{{0,80}}\))?"
    # What it points to may point on.
    rf"\s{{0,4}}(?:-{{1,4}}>|=+>|[{arrows.RIGHT}]\ufe0f?)\s{{0,4}}(?=(?P<to>{PATTERN})(?![\w-]))"
)
_LINK: Final = re.compile(
    r"<?(?:-{2,}>|={2,}>|-{3,}|─{1,}[>▶►])|<-{1,}|(?<=\s)--(?=\s)|--[ox](?=\s)|->|-\.{1,3}->|=>|<-"
    rf"|[{arrows.RIGHT}]|[{arrows.LEFT}]─*"
)
#: A node of mermaid or of dot, with its words: `A["2. Data"]`, `a [label="2. Data"]`.
_NODE: Final = re.compile(
    r"(?<![\w.])(?P<node>\w[\w-]{0,40})\s?"
    r"(?:\[(?:[^\]\n]{0,80}[\s,])?label\s?=\s?|[\[({]{1,3})[\"'\s/]{0,3}"
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
#: The first line of a graph in a language of graphs.
_GRAPH: Final = re.compile(
    r"(?:graph|flowchart)\s{1,4}(?:TD|TB|BT|LR|RL)\b|(?:strict\s)?(?:di)?graph\b[^{]{0,80}\{"
    r"|@start(?:uml|gantt|wbs|mindmap)|(?:gantt|stateDiagram|stateDiagram-v2)\s*\Z",
)
#: What no language of graphs has.
_BOXES: Final = re.compile("[┌└├│╭╰▼]")
#: `subgraph one[First]`: a part of a graph, by its name.
_PART: Final = re.compile(r"subgraph\s{1,4}[\"']?(?P<name>\w[\w-]{0,40})")
#: In a list of tasks: what a task needs, and which it is.
_NEEDS: Final = re.compile(
    r"[\"']?\b(?:depends_?on|dependencies|deps|blocked_?by|prerequisites|predecessors)[\"']?"
    r"\s?:\s?(?P<value>[\[\"'0-9][^#]{0,200})",
    re.IGNORECASE,
)
_OWN: Final = re.compile(
    r"(?:[-{]\s{0,4})?[\"']?\b(?:id|task(?:_?id)?|number)[\"']?\s?:\s?"
    r"(?P<value>[\"']?[0-9.]{1,12}[\"']?(?![\w.]))",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,5}")
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
        self._labels = Labels(groups)

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
        code = {line.number for line in lines if line.code}
        upright = Upright(self._groups, self._edges, self._remarks)
        told.update(upright.report(lines, (set(tasks) - code) | told | set(said)))
        blocks = [b for b in self._document.blocks if not _is_wave_graph(b)]
        graphs = [
            block
            for block in (*blocks, *_unfenced(lines, tasks))
            if not any(line.number in told for line in block.lines)
        ]
        for block in graphs:
            if self._report_block(block):
                told.update(line.number for line in block.lines)
        drawn = Drawn(self._groups, self._edges, self._remarks, self._labels)
        drawings = [b for b in blocks if not _is_graph(b) or _BOXES.search(b.text)]
        passed = (set(tasks) - code) | told | set(said)
        told.update(drawn.report(lines, drawings, passed))
        if sections:
            self._report_sections({*tasks, *said}, told, drawn)

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

    def _report_block(self, block: Block) -> bool:
        """Whether something was said about a block."""
        linked = any(_LINK.search(line.text) for line in block.lines)
        keyed = any(_KEY.search(line.text) for line in block.lines)
        drawn = _is_graph(block)
        if linked and (drawn or not keyed):
            found = self._unknown_pair(block)
        elif keyed or drawn:
            names = chain(*(_sure(line.text, self._groups) for line in block.lines))
            found = list(islice(dict.fromkeys(chain(names, self._listed(block))), 2))
        else:
            return False
        if len(found) > 1:
            self._remarks.add(
                "warning",
                "diagram",
                block.line,
                f"this block names tasks ({found[0]}, {found[1]}) and is not read: a graph "
                "is a block of JSON with \"waves\", a dependency a line '_Depends: ..._'",
            )
        return len(found) > 1

    def _listed(self, block: Block) -> Iterator[str]:
        """Mere numbers that are tasks where a block is a list of tasks and what they need."""
        texts = [line.text for line in block.lines]
        needs = [found for text in texts if (found := _NEEDS.search(text))]
        own = [found for text in texts if (found := _OWN.search(text))]
        if needs and own:
            for found in (*needs, *own):
                for name in _NUMBERS.findall(found.group("value")):
                    if self._groups.members(name) is not None:
                        yield name

    def _unknown_pair(self, block: Block) -> list[str]:
        """Two tasks that the links of a drawing order and the edges of the file do not."""
        nodes = self._nodes(block)
        for line in block.lines:
            parts = _LINK.split(line.text)
            ends = [self._nodes_of(part, nodes) for part in parts]
            signs = _LINK.findall(line.text)
            last = ends[0]
            for sign, following in zip(signs, ends[1:]):
                if not following:  # `a -- words --> b`
                    continue
                back = sign[0] in f"<{arrows.LEFT}" and sign[-1] != ">"
                before, after = (following, last) if back else (last, following)
                last = following
                for pair in product(before, after):
                    if pair[0] != pair[1] and not self._holds(*pair):
                        return list(pair)
        return []

    def _nodes(self, block: Block) -> dict[str, tuple[str, ...]]:
        """The tasks that the nodes and the parts of a graph stand for."""
        nodes: dict[str, tuple[str, ...]] = {}
        part: Optional[str] = None
        for line in block.lines:
            opened = _PART.match(line.text)
            if opened or line.text == "end":
                part = opened.group("name") if opened else None
                continue
            for match in _NODE.finditer(line.text):
                name = self._labels.task(match.group("label"))
                if name is not None:
                    nodes[match.group("node")] = (name,)
                    if part is not None:
                        nodes[part] = (*nodes.get(part, ()), name)[:8]
        return nodes

    def _nodes_of(self, text: str, nodes: dict[str, tuple[str, ...]]) -> list[str]:
        found: dict[str, None] = {}
        text = text[:400]
        for part in mentions(text) if PARTS.search(text) else ():
            if self._groups.members(part.text) is not None:
                found[part.text] = None  # `Phase 2` is not task 2
                text = (
                    text[: part.start]
                    + " " * (part.end - part.start)
                    + text[part.end :]
                )
        for token in _TOKEN.findall(text):
            if token in nodes:
                found.update(dict.fromkeys(nodes[token]))
                continue
            name, word = token, _WORD.fullmatch(token)
            if word and self._groups.members(name) is None:
                name = word.group("id").replace("_", ".")
            if self._groups.members(name) is not None:
                found[name] = None
        return list(found)[:8]

    def _report_sections(
        self, tasks: Collection[int], told: set[int], drawn: Drawn
    ) -> None:
        """A remark for a section about an order that names tasks in words or tables."""
        lines = self._document.lines
        for start, stop in _sections(lines):
            inside = lines[start + 1 : stop]
            if any(line.number in told for line in inside):
                continue
            words = [x for x in inside if not x.code and x.number not in tasks]
            if drawn.nested(words) is not None:
                continue
            for line in words:
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


def _is_wave_graph(block: Block) -> bool:
    return any('"waves"' in line.text for line in block.lines)


def _is_graph(block: Block) -> bool:
    """Whether a block is written in a language of graphs, whatever its fence says."""
    first = block.lines[0].text[:200] if block.lines else ""
    language = block.info.partition(" ")[0].lower()
    return language in _LANGUAGES or _GRAPH.match(first) is not None


def _unfenced(lines: list[Line], tasks: Collection[int]) -> Iterator[Block]:
    """Graphs of such a language without a fence: down to a blank line, a heading, a task."""
    block: Optional[Block] = None
    for line in lines:
        inside = not (line.code or line.number in tasks or line.text[0] == "#")
        if block is not None:
            if inside and line.number == block.lines[-1].number + 1:
                block.lines.append(line)
                continue
            yield block
            block = None
        if inside and _GRAPH.match(line.text[:200]):
            block = Block(line.number, "graph", [line])
    if block is not None:
        yield block


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
