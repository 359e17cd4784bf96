"""``kubectl swarm [SWARM] SENTENCE...`` and ``kubectl swarm [SWARM] VIEW``: the plugin's entry.

Every view is a click command of its own, imported when it is called; ``route`` finds out
which one, and which swarm, before click reads the options.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn, Optional, Sequence

import click

from kiro_swarm import __version__
from kiro_swarm.cli.kubectl.failure import INTERRUPTED, NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.route import begins, route
from kiro_swarm.cli.kubectl.spoken import Spoken, places_of

#: View -> module. The function has the name of the view.
_MODULES = {
    **{name: name for name in ("get", "watch", "logs", "graph", "audit", "ledger")},
    "help": "help",
    **{"timeline": "graph", "top": "top", "events": "top"},
    **{"diff": "task", "explain": "task", "open": "attach"},
}


def command_of(view: Optional[str]) -> click.Command:
    """The click command of a view; None: of a sentence."""
    module = "say" if view is None else _MODULES[view]
    name = "sentence" if view is None else "open_" if view == "open" else view
    found = getattr(importlib.import_module(f"kiro_swarm.cli.kubectl.{module}"), name)
    assert isinstance(found, click.Command)  # noqa: S101 - the table above is wrong
    return found


def main(argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Run the plugin with the arguments of the process; ends the process."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments == ["--version"]:
        click.echo(f"kubectl-swarm {__version__}")
        sys.exit(0)
    try:
        way = route(arguments)
        rest = list(way.rest)
        view = way.view
        if view in (None, "help") and _asks_for_help(rest):
            view, rest = "help", _words(rest)[:1]
        swarm = way.swarm
        spoken = Spoken.of(rest, swarm, named=bool(swarm) and begins([swarm]))
        if way.swarm and view != "help":
            rest = [f"--swarm={way.swarm}", *rest]
        name = f"kubectl swarm {view}" if view else "kubectl swarm"
        command_of(view).main(rest, prog_name=name, standalone_mode=False, obj=spoken)
    except Failure as failure:
        from kiro_swarm.cli.kubectl.terminal import Terminal

        Terminal().fail(failure)
        sys.exit(failure.status)
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        sys.exit(NOT_UNDERSTOOD)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # a pager that was left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _words(rest: Sequence[str]) -> list[str]:
    return [rest[place] for place in places_of(rest)[0]]


def _asks_for_help(words: Sequence[str]) -> bool:
    before = words[: words.index("--")] if "--" in words else words
    return "--help" in before or "-h" in before
