"""The page of the command language, from the table that the parser is made of."""

from __future__ import annotations

from typing import Any, Dict, List

from hack.lib.docs.markdown import bullets, code, codes, page, table
from kiro_swarm.commands.help import describe
from kiro_swarm.commands.table import CONNECTORS, FILLERS

_INTRO = """\
A sentence is said by a [SwarmCommand](swarmcommand.md); its answer is in the status.
`kiro-swarm command parse SENTENCE` says how a sentence is understood, without a cluster.
Values stand by their place or as `name=value`. Permission names the verb on `kiroswarms`
that the sentence asks for; see [security](../security.md) for what is checked today."""


def pages() -> Dict[str, str]:
    """File name -> text."""
    commands = describe()
    overview = table(
        ["Sentence", "What it does", "Permission"],
        [
            [code(item["usage"]), item["help"], code(item["permission"])]
            for item in commands
        ],
    )
    words = (
        f"Words without meaning: {codes(sorted(FILLERS))} among the fixed words, "
        f"{codes(sorted(CONNECTORS))} after them."
    )
    parts = [_INTRO, overview, words, *(_command(item) for item in commands)]
    source = "operator/kiro_swarm/commands/table.py"
    return {"commands.md": page(source, "Commands", *parts)}


def _command(item: Dict[str, Any]) -> str:
    parts = [f"## {item['name']}", item["help"], f"    {item['usage']}"]
    values = [*item["arguments"], *item["parameters"]]
    if values:
        header = ["Argument", "Kind", "Bounds", "Meaning"]
        parts.append(table(header, [_argument(value) for value in values]))
    if item["modifiers"]:
        header = ["Modifier", "Other words", "Meaning"]
        parts.append(table(header, [_modifier(word) for word in item["modifiers"]]))
    facts = [f"Permission: {code(item['permission'])} on `kiroswarms`."]
    if item["verbSynonyms"]:
        facts.append(f"Other verbs: {codes(item['verbSynonyms'])}.")
    if item["synonyms"]:
        facts.append(f"Other phrases: {codes(item['synonyms'])}.")
    if item["connectors"]:
        facts.append(f"May stand before the argument: {codes(item['connectors'])}.")
    if item["destructive"]:
        facts.append("Never offered as the correction of another sentence.")
    facts.append(f"Examples: {codes(item['examples'])}.")
    return "\n\n".join([*parts, bullets(facts)])


def _argument(value: Dict[str, Any]) -> List[str]:
    low, high = value.get("minimum"), value["maximum"]
    bounds = f"at most {high} characters" if low is None else f"{low} to {high}"
    name = f"[{value['name']}]" if value["optional"] else value["name"]
    return [code(name), value["kind"], bounds, value["help"]]


def _modifier(word: Dict[str, Any]) -> List[str]:
    note = "" if word["available"] else " Not available in this version."
    return [code(word["name"]), codes(word["synonyms"]), word["help"] + note]
