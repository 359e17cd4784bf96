"""The page of the command language, from the table that the parser is made of."""

from __future__ import annotations

from typing import Dict, List

from hack.lib.docs.markdown import bullets, code, codes, page, table
from kiro_swarm.commands.help import ArgumentHelp, CommandHelp, ModifierHelp, describe
from kiro_swarm.commands.roles import ROLES
from kiro_swarm.commands.table import CONNECTORS, FILLERS

_INTRO = """\
A swarm is steered with sentences. A [SwarmCommand](reference/swarmcommand.md) carries one; its
status has the answer, and the sentence as it was understood. `kiro-swarm command parse SENTENCE`
does the same without a cluster. Where a sentence is wrong, it shows the place, what was expected
there, and what may have been meant; it never proposes a command that could lose work."""

_BUILT = """\
## How a sentence is built

    VERB NOUN [VALUES] [MODIFIERS] [NAME=VALUE]

- The first word alone decides which permission is needed. It is never left out.
- Case does not matter, except in values: `run task PWA-2` is about `PWA-2`.
- A value is written in its place or as `name=value`: `run task id=2.1`.
- A value of several words, or one that is a word of the language, is put in quotes:
  `reject task 2.1 reason="no tests"`. In quotes, `\\"` is a quote and `\\\\` a backslash.
- A duration is written as `90s`, `10m`, `1h30m` or `2d`, a list as `demo-1,demo-2`.
- A branch is given by its short name, as `feature/login`.
- A modifier with hyphens may be written with spaces: `beast mode`.
- A sentence has at most 4096 bytes and no line breaks or invisible characters."""


def pages() -> Dict[str, str]:
    """File name -> text."""
    commands = describe()
    header = ["Sentence", "What it does", "Permission"]
    rows = [
        [_link(item), item["help"], code(item["permission"])]
        for item in commands
        if item["available"]
    ]
    words = (
        f"- Words without meaning: {codes(sorted(FILLERS))} among the fixed words, "
        f"{codes(sorted(CONNECTORS))} after them."
    )
    parts = [
        _INTRO,
        f"{_BUILT}\n{words}",
        "## All commands",
        table(header, rows),
        "## Not available yet",
        "These sentences are understood, and need their permission like any other; the "
        "answer says what this version lacks.",
        table(
            ["Sentence", "What it will do", "What is missing"],
            [
                [_link(item), item["help"], item["missing"]]
                for item in commands
                if not item["available"]
            ],
        ),
        "## Who may say what",
        "A permission is a verb on `kiroswarms`; these roles hold them, see "
        "[security](security.md).",
        table(
            ["Role", "Permissions"],
            [[code(role), codes(held)] for role, held in ROLES.items()],
        ),
        *(_command(item) for item in commands),
    ]
    source = "operator/kiro_swarm/commands/table"
    return {"commands.md": page(source, "Commands", *parts)}


def _link(item: CommandHelp) -> str:
    return f"[{code(item['usage'])}](#{item['name'].replace(' ', '-')})"


def _command(item: CommandHelp) -> str:
    parts = [f"## {item['name']}", item["help"], f"    {item['usage']}"]
    if item["missing"]:
        parts.append(f"Not available: {item['missing']}.")
    values = [*item["arguments"], *item["parameters"]]
    if values:
        header = ["Value", "What it may be", "Bounds", "Meaning"]
        parts.append(table(header, [_argument(value) for value in values]))
    if item["modifiers"]:
        header = ["Modifier", "Other words", "Meaning"]
        parts.append(table(header, [_modifier(word) for word in item["modifiers"]]))
    permission = item["permission"]
    roles = [role for role, held in ROLES.items() if permission in held]
    facts = [f"Permission: {code(permission)}; roles that hold it: {codes(roles)}."]
    if item["verbSynonyms"]:
        facts.append(f"Other verbs: {codes(item['verbSynonyms'])}.")
    if item["synonyms"]:
        facts.append(
            f"Other phrases (`a|b`: one of them, `[a]`: may be left out): "
            f"{codes(item['synonyms'])}."
        )
    if item["connectors"]:
        facts.append(f"May stand beside a value: {codes(item['connectors'])}.")
    if item["destructive"]:
        facts.append("Never proposed as the correction of another sentence.")
    facts.append(f"Examples: {codes(item['examples'])}.")
    return "\n\n".join([*parts, bullets(facts)])


def _argument(value: ArgumentHelp) -> List[str]:
    low, high = value.get("minimum"), value["maximum"]
    unit = " seconds" if value["kind"] == "duration" else ""
    bounds = f"at most {high} characters" if low is None else f"{low} to {high}{unit}"
    name = f"[{value['name']}]" if value["optional"] else value["name"]
    return [code(name), value["expects"], bounds, value["help"]]


def _modifier(word: ModifierHelp) -> List[str]:
    note = f" Not available: {word['missing']}." if word["missing"] else ""
    return [code(word["name"]), codes(word["synonyms"]), word["help"] + note]
