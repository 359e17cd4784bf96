"""What a hostile repository has in it before the swarm begins: its task file and beside it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Callable, Tuple

from tests.fuzz.engine import mutated
from tests.fuzz.targets import targets
from tests.unit.workspace.repositories import SPEC, git

RepositoryAct = Callable[[random.Random, Path], None]
_TASKS = targets()["tasks"]


def _commit(upstream: Path) -> None:
    # As much as git takes: some of it cannot be added, which is no matter.
    git(upstream, "add", "--all", "--force", "--ignore-errors", check=False)
    git(upstream, "commit", "--quiet", "--allow-empty", "-m", "hostile")


def strange_task_file(draw: random.Random, upstream: Path) -> None:
    """A task file that nobody would write."""
    text = mutated(draw, _TASKS.examples, _TASKS.pieces)
    (upstream / SPEC).write_bytes(text.encode("utf-8", "surrogatepass"))
    _commit(upstream)


def task_file_of_groups(draw: random.Random, upstream: Path) -> None:
    """Long texts in groups of many tasks: short to write, long as a graph."""
    lines = ["- [ ] 1. Group", *["  " + "long text " * 20] * draw.randint(1, 300)]
    lines += [f"  - [ ] 1.{n} Task" for n in range(1, draw.randint(2, 2000))]
    (upstream / SPEC).write_text("\n".join(lines) + "\n")
    _commit(upstream)


def task_file_that_is_none(draw: random.Random, upstream: Path) -> None:
    """A link, a folder, nothing, bytes, or a hundred thousand brackets."""
    path = upstream / SPEC
    path.unlink()
    which = draw.choice(("link", "folder", "nothing", "bytes", "deep"))
    if which == "link":
        path.symlink_to(draw.choice(("/etc/passwd", "tasks.md", "../../../app.py")))
    elif which == "folder":
        path.mkdir()
        (path / "file").write_text("x")
    elif which == "bytes":
        path.write_bytes(draw.randbytes(5000))
    elif which == "deep":
        deep = '{"waves": ' + "[" * 100_000 + "]" * 100_000 + "}"
        path.write_text(f"- [ ] 1. A\n```json\n{deep}\n```\n")
    _commit(upstream)


def attributes_everywhere(draw: random.Random, upstream: Path) -> None:
    """Filters that are not there, merge drivers, encodings, line ends."""
    words = (
        *("filter=lfs", "merge=union", "text eol=crlf", "merge=binary", "-merge"),
        *("working-tree-encoding=UTF-16", "ident", "export-subst", "filter=x diff=y"),
    )
    lines = [f"*.{kind} {draw.choice(words)}" for kind in ("py", "txt", "md")]
    (upstream / ".gitattributes").write_text("\n".join(lines) + "\n")
    _commit(upstream)


def names_and_modules(draw: random.Random, upstream: Path) -> None:
    """Submodules that lead anywhere, names that differ by case alone, deep folders."""
    url = draw.choice(("ext::sh -c 'touch /tmp/x'", "../..", "file:///etc", "--upload"))
    (upstream / ".gitmodules").write_text(
        f'[submodule "../x"]\n\tpath = sub\n\turl = {url}\n\tupdate = !touch /tmp/x\n'
    )
    (upstream / "README").write_text("a")
    (upstream / "readme").write_text("b")
    deep = upstream / "/".join(["d" * 40] * 20)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    _commit(upstream)


REPOSITORY_ACTS: Tuple[RepositoryAct, ...] = (
    strange_task_file,
    task_file_of_groups,
    task_file_that_is_none,
    attributes_everywhere,
    names_and_modules,
)
