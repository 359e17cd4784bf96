"""The parsers that are fed, and what must hold for every text. Used by the driver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import PARSER, parse
from kiro_swarm.commands.table import COMMANDS, CONNECTORS, FILLERS
from kiro_swarm.tasks.file import parser as tasks
from kiro_swarm.tasks.file import prose_order_words, prose_words
from kiro_swarm.tasks.file.edit import CannotTick, tick
from kiro_swarm.tasks.file.prose_grammar import sentences as prose_sentences
from kiro_swarm.tasks.file.prose_tokens import tokens_of
from kiro_swarm.tasks.file.wire import graph_of, publish, read_published
from tests.fuzz.conversations import frames
from tests.fuzz.engine import Target
from tests.fuzz.records import records
from tests.fuzz.repositories import repositories

ROOT = Path(__file__).resolve().parents[2]

#: Longest normalized sentence: what SwarmCommand.status can carry.
LONGEST_NORMALIZED = 4096


def check_sentence(text: str) -> str:
    """An action that is written and read back the same, or an error that helps."""
    try:
        action = parse(text)
    except SentenceError as error:
        if not 1 <= error.position <= len(text) + 2:
            raise AssertionError(f"position {error.position}") from error
        for suggestion in error.suggestions:
            near = parse(suggestion)
            if near.command.destructive or near.normalized != suggestion:
                raise AssertionError(f"suggested {suggestion!r}") from error
        json.dumps(error.to_wire())
        return f"{error.expected} {len(error.suggestions)}"
    normalized = action.normalized
    if parse(normalized) != action or parse(normalized).normalized != normalized:
        raise AssertionError(f"{normalized!r} is another action")
    if len(normalized) > LONGEST_NORMALIZED:
        raise AssertionError(f"normalized to {len(normalized)} characters")
    first = text.split()[0].lower()
    if PARSER.grammar.permissions[first] != action.permission:
        raise AssertionError(f"'{first}' needs another permission")
    json.dumps(action.to_wire())
    return f"{action.command.name} {len(action.arguments)} {action.modifiers}"


def check_tasks(text: str) -> str:
    """A file that is read, published and read back; a tick changes boxes alone."""
    file = tasks.parse(text)
    published = publish(file, "tasks.md")
    if read_published(published.to_json()) != published:
        raise AssertionError("what is published is read as something else")
    if not file.errors and graph_of(published).find_cycle() is not None:
        raise AssertionError("a cycle without an error")
    data = text.encode("utf-8", "replace")
    for leaf in [] if file.errors else file.leaves[:1]:
        try:
            ticked = tick(data, leaf.id, title=leaf.title)
        except CannotTick:
            break
        # A word of its own, or a box that is only nearly right, has another length.
        comment = leaf.ticked_mark != "x" or leaf.width != 1
        if (not comment and len(ticked) != len(data)) or (
            tick(ticked, leaf.id) != ticked
        ):
            raise AssertionError(f"the tick of {leaf.id} changes more than boxes")
    codes = sorted({remark.code for remark in file.diagnostics})
    return f"{min(len(file.tasks), 5)} {codes}"


def check_prose(text: str) -> str:
    """Sentences in order, each inside of the text, of ids that are there or called tasks."""
    tokens = tokens_of(text)
    ends = [token.end for token in tokens]
    if any(token.start < end for token, end in zip(tokens[1:], ends)):
        raise AssertionError("tokens that overlap")
    found = list(prose_sentences(tokens, _KNOWN.__contains__, steps=True))
    at = 0
    for sentence in found:
        if not at <= sentence.start < sentence.end <= len(text):
            raise AssertionError(f"{sentence} of {text!r}")
        if (sentence.what == "ids") != bool(sentence.ids):
            raise AssertionError(f"{sentence} of nothing")
        if sentence.kind == "order" and len(sentence.steps) < 2:
            raise AssertionError(f"{sentence} has no order")
        if not sentence.named and not _KNOWN.issuperset(sentence.ids):
            raise AssertionError(f"{sentence} names what is not there")
        at = sentence.end
    kinds = [(len(s.ids), s.ahead, s.named, s.what, s.kind) for s in found[:3]]
    return f"{kinds}"


def targets() -> Dict[str, Target]:
    """All of them by name."""
    sentences = [example for command in COMMANDS for example in command.examples]
    words = PARSER.grammar.words | FILLERS | CONNECTORS
    signs = (" ", '"', "\\", "=", "-", "/", "..", ",", "\u212a", "\u00a0", "\u202e")
    plans = sorted(ROOT.glob("examples/*/.kiro/specs/*/tasks.md"))
    files = [path.read_text(encoding="utf-8") for path in plans]
    found = (
        Target("sentences", sentences, sorted(words) + list(signs), check_sentence),
        Target("tasks", [*files, *_TASK_FILES], _TASK_PIECES, check_tasks),
        Target("prose", _PROSE, _PROSE_PIECES, check_prose),
        frames(),
        *records(),
        repositories(),
    )
    return {target.name: target for target in found}


_TASK_FILES = (
    "- [ ] 1. First\n- [x] 2. Second\n  - _Depends: 1_\n- [-] 3. Third\n",
    "# Plan\n\n- [ ] 1. Group\n  - [ ] 1.1 A\n    - _Files: a.py, b/_\n  - [ ]* 1.2 B\n",
    '- [ ] A-1 x\n- [ ] A-2 y\n```json\n{"waves": [["A-1"], ["A-2"]]}\n```\n',
    "- [ ] 1. A\r\n  - _Requirements: 1.1, 2.3_\r\n  - _Estimate: 2h_\r\n",
    '<!-- @task id="A-1" status="pending" -->\n### A\n- [ ] ok\n<!-- @endtask -->\n'
    '<!-- @task id="A-2" depends="A-1" -->\n### B\n<!-- @endtask -->\n',
    "## Phase 1\n- [ ] 1.1 (P) A\n- [ ] 1.2 B (P)\n## Phase 2\n- [ ] 2.1 C\n"
    "  - _Depends: Phase 1 complete, auth:2.1_\n  - _Blocks: 2.2_\n- [ ] 2.2 D\n",
)
_KNOWN = frozenset(("1", "2", "3", "1.1", "1.2", "A-1"))
_PROSE = (
    "After 1, 2 and 3; waits for 1.1-1.2 (needs A-1). Task 1 must come before task 2.",
    "hängt von 1 ab, erst nach Aufgabe 2; après la tâche 1.1, depende de 3",
    "Order: 1, 2, 3. First 1, then 2; 1 (x) > 1.1. Task 2 builds on it; needs all above.",
    "Tasks 1 and 2 can run in parallel; in parallel with 1.1; from task 1; before the rest",
    "wait forこれまでの全タスク1()> 1",
    "依赖任务 1，在 1.2 完成之后；タスク1に依存する。1.1 완료 후, 2에 의존",
)
_PROSE_PIECES = (
    *prose_words.SURE.written,
    *prose_words.MAYBE.written,
    *prose_words.AHEAD_MAYBE.written,
    *prose_words.BETWEEN.written,
    *prose_words.END_OF.written,
    *prose_words.BEHIND.written,
    *prose_words.DONE.written,
    *prose_order_words.ABOVE.written,
    *prose_order_words.REST.written,
    *prose_order_words.ORDER.written,
    *prose_order_words.FIRST.written,
    *prose_order_words.THEN.written,
    *prose_order_words.BESIDE.written,
    *prose_order_words.TOGETHER.written,
    *prose_order_words.SOURCE.written,
    *prose_order_words.IN_ORDER.written,
    *(" > ", "->", "→ ", " it", "(x) ", "と", "不"),
    *(
        "1",
        "2",
        "1.1",
        "A-1",
        "9",
        "1.x",
        "1-",
        "1/",
        "v1",
        "1%",
        "2025-01-01",
        "step ",
    ),
    *(
        " ",
        ", ",
        "; ",
        "(",
        ")",
        "`",
        "**",
        ": ",
        ".",
        "–",
        "\u3000",
        "\u202e",
        "task ",
    ),
)
_TASK_PIECES = (
    *(
        "- [ ] ",
        "- [x] ",
        "- [-] ",
        "- [~] ",
        "- [ ]* ",
        "* [ ] ",
        "1. ",
        "2.1 ",
        "A-1 ",
    ),
    *("_Depends: ", "_Blocks: ", "_Files: ", "_Boundary: ", "_Requirements: ", "_ "),
    *("_Estimate: ", "2h", "none", "Checkpoint", "\n", "\r\n", "\r", "\t", "  ", "# "),
    *("```json\n", "```\n", "~~~", "<!--", "-->", "> ", '{"waves": [["1"], ["2"]]}'),
    *("(P) ", "Phase 1", "## Phase 1\n", "1.1-1.3", "2.x", "all previous tasks", "b:1"),
    *("@task ", "@endtask ", 'id="A-1"', ' status="done"', "## Checklist\n", "1 --> 2"),
    *("_Priority: ", "_Complexity: ", "_Capabilities: ", "Acceptance criteria:", " | "),
    *(
        "[P0] ",
        "[WIP] ",
        "✅ ",
        "• ",
        "［ ］",
        "\u00a0",
        "[]",
        "- ( ) ",
        "_依赖: ",
        "_Requires: ",
    ),
    *(
        "depends on task ",
        "after task 1",
        "## Dependencies\n",
        "```mermaid\n",
        "| 1.1 |",
        "| Task | Depends on |\n",
        "## Order\n",
        "Day 1: ",
        "1. Task 2\n",
        "depends on all previous tasks",
        "in parallel",
        "Order: 1, 2",
    ),
    *("(", ")", "[", "]", ",", ":", "*", "`", "\\", "\ufeff", "\x00", "\u202e", "🎉"),
)
