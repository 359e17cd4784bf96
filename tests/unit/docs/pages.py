"""The Markdown of the project, as the tests of this folder read it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```(\w*)\s*$")
_HEREDOC = re.compile(r"<<-?\s*'?(\w+)'?")


@dataclass(frozen=True)
class Block:
    """A piece of code: where it begins, its language where one is named, its lines."""

    line: int
    language: str
    lines: List[str]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines) + "\n"


def markdown_files() -> List[Path]:
    """Every page of the project, also one that is not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return sorted({ROOT / name for name in listed.splitlines()})


def existing_pages() -> List[Path]:
    return [path for path in markdown_files() if path.exists()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(text: str) -> Iterator[Block]:
    """Fenced blocks, and blocks indented by four after an empty line."""
    lines = text.splitlines()
    number, in_list = 0, False
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        start = number
        if fence:
            number += 1
            while number < len(lines) and lines[number] != "```":
                number += 1
            yield Block(start + 2, fence[1], lines[start + 1 : number])
        elif lines[number].startswith("    ") and not in_list:
            if start == 0 or not lines[start - 1].strip():
                while number < len(lines) and (
                    lines[number].startswith("    ") or not lines[number].strip()
                ):
                    number += 1
                inner = [line[4:] for line in lines[start:number]]
                while not inner[-1]:
                    inner.pop()
                yield Block(start + 1, "", inner)
                continue
        elif lines[number].strip():
            in_list = bool(re.match(r"\s*([-*]|\d+\.)\s|  ", lines[number]))
        number += 1


def outside_of_code(text: str) -> str:
    """The prose of a page: no blocks, no code spans."""
    lines = text.splitlines()
    for block in blocks(text):
        for number in range(block.line - 1, block.line - 1 + len(block.lines)):
            lines[number] = ""
    return re.sub(r"`[^`\n]*`", "", "\n".join(lines))


def heredocs(block: Block) -> Iterator[str]:
    """The texts that a block of shell gives to its commands."""
    number = 0
    while number < len(block.lines):
        found = _HEREDOC.search(block.lines[number])
        number += 1
        if found:
            start = number
            while block.lines[number].strip() != found[1]:
                number += 1
            yield "\n".join(block.lines[start:number]) + "\n"


def table_rows(text: str) -> List[List[str]]:
    """The cells of every row of every table; a bar in a cell is written as \\|."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|") and not set(line) <= set("|- :")
    ]


def code_words(text: str) -> List[str]:
    """Every code span of a text."""
    return re.findall(r"`([^`\n]+)`", text)
