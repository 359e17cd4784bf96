"""The pages of the command line and of the plugin, from the click commands themselves."""

from __future__ import annotations

import inspect
from typing import Dict, Iterator, List, Optional, Tuple

import click

from hack.lib.docs.markdown import code, page, table
from kiro_swarm.cli.kubectl.complete import EVERYWHERE
from kiro_swarm.cli.kubectl.main import command_of
from kiro_swarm.cli.kubectl.route import VIEWS
from kiro_swarm.cli.main import COMMANDS, main

_INTRO = """\
One image, one entry point: `kiro-swarm COMMAND`. People need `command` and `tasks`; the pods
that the operator makes call the others. Where an environment variable is named, a flag wins over
it.
`kiro-swarm COMMAND --help` says the same."""

_PLUGIN_INTRO = """\
What `kubectl swarm` takes; [kubectl swarm](../kubectl-swarm.md) shows how it is used, and
[Sentences](../commands.md) what can be said."""
_PLUGIN_HEADER = ["Flag", "Default", "Meaning"]
#: Two of them have a short name, which comes first.
_EVERYWHERE = {*EVERYWHERE, "-n"}


def pages() -> Dict[str, str]:
    """File name -> text."""
    parts = [_INTRO]
    for path, command in commands():
        parts += [f"## kiro-swarm {path}", _help(command), _arguments(command)]
        rows = [_row(item) for item in options(command)]
        if rows:
            header = ["Flag", "Environment", "Default", "Meaning"]
            parts.append(table(header, rows))
    return {
        "command-line.md": page("operator/kiro_swarm/cli", "Command line", *parts),
        "kubectl-swarm.md": _plugin(),
    }


def _plugin() -> str:
    """The page of ``kubectl swarm``: a sentence, every view, the flags of all."""
    ways: Dict[Optional[str], str] = {None: "kubectl swarm [SWARM] SENTENCE..."}
    ways.update((name, f"kubectl swarm [SWARM] {name}") for name in VIEWS)
    parts = [_PLUGIN_INTRO]
    everywhere: Dict[str, List[str]] = {}
    for name, title in ways.items():
        command = command_of(name)
        parts += [f"## {title}", _help(command), _arguments(command)]
        rows = {_row(item)[0]: _row(item) for item in options(command)}
        shared = {flag for flag in rows if flag.split("`")[1] in _EVERYWHERE}
        everywhere.update((flag, rows[flag]) for flag in rows if flag in shared)
        own = [_short(rows[flag]) for flag in rows if flag not in shared]
        if own:
            parts.append(table(_PLUGIN_HEADER, own))
    parts.append("## The same for a sentence and every view but help")
    parts.append(table(_PLUGIN_HEADER, [_short(row) for row in everywhere.values()]))
    return page("operator/kiro_swarm/cli/kubectl", "kubectl swarm", *parts)


def _short(row: List[str]) -> List[str]:
    """A row without the environment, which the plugin leaves to kubectl."""
    return [row[0], row[2], row[3]]


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


def _help(command: click.Command) -> str:
    """Its help without the indentation that Python before 3.13 leaves in a docstring."""
    return inspect.cleandoc(command.help or "")


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
    plain = isinstance(option.default, (str, int, float)) and option.default != ""
    return code(option.default) if plain else ""
