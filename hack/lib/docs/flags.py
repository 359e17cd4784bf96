"""The page of the command line, from the click commands themselves."""

from __future__ import annotations

from typing import Dict, Iterator, List, Tuple

import click

from hack.lib.docs.markdown import code, page, table
from kiro_swarm.cli.main import COMMANDS, main

_INTRO = """\
One image, one entry point: `kiro-swarm COMMAND`. People need `command`; the pods that the
operator makes call the others. Where an environment variable is named, a flag wins over it.
`kiro-swarm COMMAND --help` says the same."""


def pages() -> Dict[str, str]:
    """File name -> text."""
    parts = [_INTRO]
    for path, command in commands():
        parts += [f"## kiro-swarm {path}", command.help or "", _arguments(command)]
        rows = [_row(item) for item in options(command)]
        if rows:
            header = ["Flag", "Environment", "Default", "Meaning"]
            parts.append(table(header, rows))
    return {"command-line.md": page("operator/kiro_swarm/cli", "Command line", *parts)}


def commands() -> Iterator[Tuple[str, click.Command]]:
    """Every command and sub-command, in the order of the table."""
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        if command is None:
            raise KeyError(name)
        yield name, command
        if isinstance(command, click.Group):
            for inner in sorted(command.commands):
                yield f"{name} {inner}", command.commands[inner]


def options(command: click.Command) -> List[click.Option]:
    """The options of a command."""
    return [item for item in command.params if isinstance(item, click.Option)]


def _arguments(command: click.Command) -> str:
    names = [
        i.human_readable_name for i in command.params if isinstance(i, click.Argument)
    ]
    return f"Argument: {', '.join(code(name) for name in names)}." if names else ""


def _row(option: click.Option) -> List[str]:
    spelled = " ".join(code(item) for item in option.opts)
    if option.secondary_opts:
        spelled += f" / {code(option.secondary_opts[0])}"
    if isinstance(option.type, click.Choice):
        spelled += f" {'|'.join(str(item) for item in option.type.choices)}"
    variable = code(option.envvar) if isinstance(option.envvar, str) else ""
    return [spelled, variable, _default(option), option.help or ""]


def _default(option: click.Option) -> str:
    """The default where it is the same on every machine."""
    if option.required:
        return "required"
    if option.is_flag:
        return "on" if option.default is True else "off"
    plain = isinstance(option.default, (str, int, float))
    return code(option.default) if plain else ""
