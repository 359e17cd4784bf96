"""``kiro-swarm command``: the command language without a cluster, for people and pipelines."""

from __future__ import annotations

import json
import sys

import click

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.help import describe_json, help_text
from kiro_swarm.commands.parser import parse

_OUTPUT = click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)


@click.group()
def command() -> None:
    """The command language, without a cluster."""


@command.command("parse")
@click.argument("sentence")
@_OUTPUT
def parse_command(sentence: str, output: str) -> None:
    """Say how SENTENCE is understood; exit status 2 when it is not."""
    try:
        action = parse(sentence)
    except SentenceError as error:
        if output == "json":
            click.echo(json.dumps(error.to_wire()), err=True)
        else:
            click.echo(f"error: {error.message}", err=True)
            for suggestion in error.suggestions:
                click.echo(f"  did you mean: {suggestion}", err=True)
        sys.exit(2)
    if output == "json":
        click.echo(json.dumps(action.to_wire()))
    else:
        click.echo(f"{action.normalized}  (needs the permission '{action.permission}')")
        for missing in action.unavailable:
            click.echo(missing)


@command.command("list")
@_OUTPUT
def list_command(output: str) -> None:
    """All sentences, from the one table that defines them."""
    click.echo(describe_json() if output == "json" else help_text(), nl=False)


@command.command("help")
@click.argument("verb")
def help_command(verb: str) -> None:
    """Everything about the sentences that begin with VERB, with examples."""
    try:
        click.echo(help_text(verb), nl=False)
    except KeyError:
        raise click.UsageError(
            f"no sentence begins with '{verb}'; `kiro-swarm command list` shows all"
        ) from None
