"""`kubectl swarm help [VERB]`: views, sentences, and examples of a verb, from the table."""

from __future__ import annotations

from typing import Any

import click

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.route import VIEWS
from kiro_swarm.commands.help import help_text
from kiro_swarm.commands.table import COMMANDS

_USAGE = """\
Usage: kubectl swarm [-n NAMESPACE] [SWARM] SENTENCE... [options]
       kubectl swarm [-n NAMESPACE] [SWARM] VIEW [options]
"""


_WIDTH = 44


@click.command("help")
@click.argument("verb", default="")
@click.option("--swarm", default="", hidden=True)
def help(verb: str, **_: Any) -> None:  # noqa: A001 - the name of the view
    """All views and sentences, or everything about one VERB or VIEW."""
    if not verb:
        click.echo(_overview())
        return
    if verb in VIEWS and verb != "help":
        from kiro_swarm.cli.kubectl.main import command_of

        command_of(verb).main(["--help"], prog_name=f"kubectl swarm {verb}")
    try:
        page = help_text(verb)
    except KeyError:
        raise Failure(
            f"there is no verb and no view '{verb}'",
            NOT_UNDERSTOOD,
            ["kubectl swarm help lists them"],
        ) from None
    click.echo(page.replace("    Example: ", "    Example: kubectl swarm "), nl=False)


def _overview() -> str:
    """Usage, views, sentences, options."""
    lines = [_USAGE, "Views:"]
    lines += [f"  {name:<10} {words}" for name, words in VIEWS.items()]
    lines += ["", "Sentences:"]
    for row in COMMANDS:
        usage = f"  {row.usage:<{_WIDTH}}"
        lines += [usage] if len(row.usage) > _WIDTH else []
        lines.append(f"{' ' * len(usage) if lines[-1] == usage else usage}  {row.help}")
    return "\n".join(lines)
