"""``kiro-swarm tasks``: what a task file says and what is wrong with it, without a cluster.

For people who write one and for the CI of their repository. Reads files, decides nothing:
parsing and wording are in the package ``tasks``, drawing is in the views of ``kubectl swarm``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import click

from kiro_swarm import __version__
from kiro_swarm.cli.kubectl.views.text import clean
from kiro_swarm.tasks.file.model import Diagnostic, TaskFile
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.report import as_json, as_objects, as_sarif, summary
from kiro_swarm.tasks.file.sizes import MAX_BYTES

_FILE = "tasks.md"
_NOT_SEARCHED = {".git", "node_modules", ".venv"}
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_UNREADABLE = 2


class Unreadable(Exception):
    """A file that cannot be read as a task file; the message names it."""


@click.group()
def tasks() -> None:
    """Task files: check and draw them, without a cluster."""


@tasks.command()
@click.argument("path", metavar="FILE|DIR")
@click.option(
    "--output",
    "-o",
    type=click.Choice(["pretty", "json", "sarif"]),
    default="pretty",
    show_default=True,
    help="For people, for programs, or as a SARIF log for a code host.",
)
def check(path: str, output: str) -> None:
    """Say what FILE, or every tasks.md below DIR, means and what is wrong with it.

    As json, a FILE gives {"tasks": [...], "diagnostics": [...]}; a DIR gives an object
    with one of those for each path. Exit status: 0 without errors (warnings are none), 1
    with errors, 2 when something cannot be read.
    """
    files: dict[str, TaskFile] = {}
    failed = False
    for name in _files(path):
        try:
            files[name] = parse(_read(name))
        except Unreadable as problem:
            failed = True
            click.echo(f"error: {problem}", err=True)
    if files or os.path.isdir(path):
        _print(files, output, whole=os.path.isdir(path))
    errors = any(file.errors for file in files.values())
    sys.exit(_UNREADABLE if failed else 1 if errors else 0)


@tasks.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--output",
    "-o",
    type=click.Choice(["terminal", "mermaid", "svg"]),
    default="terminal",
    show_default=True,
    help="Drawn here, as text that code hosts draw, or as a picture.",
)
def graph(file: str, output: str) -> None:
    """Draw what waits for what in FILE.

    Exit status: 0; 1 when the file has errors (they go to standard error, and what could be
    read is drawn); 2 when it cannot be read.
    """
    try:
        found = parse(_read(file))
    except Unreadable as problem:
        click.echo(f"error: {problem}", err=True)
        sys.exit(_UNREADABLE)
    for remark in found.errors:
        click.echo(_line(file, remark), err=True)
    _draw(found, output)
    sys.exit(1 if found.errors else 0)


def _draw(file: TaskFile, output: str) -> None:
    """Draw with the views of ``kubectl swarm``, loaded when they are needed."""
    objects = as_objects(file)
    if output == "mermaid":
        from kiro_swarm.cli.kubectl.views.graph_text import graph_mermaid

        click.echo(graph_mermaid(objects), nl=False)
    elif output == "svg":
        from kiro_swarm.cli.kubectl.views.graph_svg import graph_svg

        click.echo(graph_svg(objects), nl=False)
    else:
        from kiro_swarm.cli.kubectl.terminal import Terminal
        from kiro_swarm.cli.kubectl.views.graph import graph_terminal

        terminal = Terminal()
        terminal.show(graph_terminal(objects, terminal.out.width))


def _files(path: str) -> Iterator[str]:
    """The file itself, or all task files below a folder, sorted; never through a link."""
    if not os.path.isdir(path):
        yield path
        return
    found = False
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name not in _NOT_SEARCHED)
        if _FILE in names:
            found = True
            yield os.path.normpath(os.path.join(folder, _FILE))
    if not found:
        click.echo(f"error: {path}: there is no {_FILE} below this folder", err=True)
        sys.exit(_UNREADABLE)


def _read(path: str) -> str:
    """The text of a file. Raises Unreadable."""
    shown = click.format_filename(path)
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise Unreadable(f"{shown}: {reason}") from None
    if len(data) > MAX_BYTES:
        raise Unreadable(
            f"{shown}: larger than {MAX_BYTES} bytes, the most that a swarm reads; split "
            "it into more specs"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise Unreadable(
            f"{shown}: line {line} is not UTF-8 (byte 0x{data[problem.start]:02X}); save "
            "the file as UTF-8"
        ) from None


def _print(files: dict[str, TaskFile], output: str, *, whole: bool) -> None:
    if output == "sarif":
        relative = {
            quote(_relative(name), errors="surrogateescape"): file
            for name, file in files.items()
        }
        click.echo(json.dumps(as_sarif(relative, __version__), indent=2))
    elif output == "json":
        by_path = {click.format_filename(n): as_json(f) for n, f in files.items()}
        answer = by_path if whole else next(iter(by_path.values()))
        click.echo(json.dumps(answer, indent=2))
    else:
        for name, file in files.items():
            for remark in file.diagnostics:
                click.echo(_line(name, remark))
            click.echo(f"{click.format_filename(name)}: {summary(file)}")


def _line(name: str, remark: Diagnostic) -> str:
    """One remark as compilers write it, so that editors find the place."""
    where = f"{click.format_filename(name)}:{remark.line}:{remark.column}"
    severity = click.style(remark.severity, fg=_COLOURS[remark.severity])
    return f"{where}: {severity}: {clean(remark.message)} [{remark.code}]"


def _relative(name: str) -> str:
    """A path as SARIF wants it: from here, with forward slashes."""
    return Path(os.path.relpath(name)).as_posix()
