"""``kubectl swarm help [VERB]``: views, sentences, and examples of a verb, from the table."""

from __future__ import annotations

import re

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
#: How the pages of verbs begin an example.
_EXAMPLE = re.compile(r"^ {8}(?=\S)", re.MULTILINE)
_OPTIONS = {
    "--dry-run": "Say what it would do; change nothing.",
    "--no-wait": "Do not wait for the answer.",
    "--timeout 90s": "Longest time to wait. Default: 600s.",
    "-o, --output FORMAT": "json, yaml, name or wide.",
    "--correlation-id ID": "Ties the command to other records.",
    "-n, --namespace NAME": "Default: that of the context.",
    "--swarm NAME": "Also one that is called like a verb; so does NAME -- SENTENCE.",
    "--context, --kubeconfig": "As kubectl has them; after `swarm`.",
    "--as, --as-group": "As kubectl has them.",
    "--request-timeout 5s": "Longest time of a single request. Default: 30s.",
}


@click.command("help")
@click.argument("verb", default="")
def help(verb: str) -> None:  # noqa: A001 - the name of the view
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
    click.echo(_EXAMPLE.sub("        kubectl swarm ", page), nl=False)


def _overview() -> str:
    """Usage, views, sentences, options."""
    lines = [_USAGE, "Views:"]
    lines += [f"  {name:<10} {words}" for name, words in VIEWS.items()]
    lines += ["", "Sentences:"]
    for row in COMMANDS:
        usage = f"  {row.usage:<{_WIDTH}}"
        lines += [usage] if len(row.usage) > _WIDTH else []
        words = row.help if row.available else f"(not available) {row.help}"
        lines.append(f"{' ' * (_WIDTH + 2) if lines[-1] == usage else usage}  {words}")
    lines += ["", "Options of a sentence:"]
    lines += [f"  {name:<26} {words}" for name, words in _OPTIONS.items()]
    lines += ["", "Options of every VIEW: kubectl swarm VIEW --help"]
    return "\n".join(lines)
