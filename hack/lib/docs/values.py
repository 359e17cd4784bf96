"""The page of the chart's values: each with the comment above it and its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import yaml

from hack.lib.docs.kinds import bounds
from hack.lib.docs.markdown import code, page, table

SOURCE = "helm/kiro-swarm/values.yaml"
_SCHEMA = "helm/kiro-swarm/values.schema.json"
_KINDS = {
    "str": "string",
    "int": "integer",
    "bool": "boolean",
    "seq": "list",
    "map": "map",
}


def pages(root: Path) -> Dict[str, str]:
    """File name -> text."""
    text = (root / SOURCE).read_text(encoding="utf-8")
    schema = json.loads((root / _SCHEMA).read_text(encoding="utf-8"))
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise TypeError(f"{SOURCE} is not a mapping")
    rows = _rows(node, text.splitlines(), schema, "")
    intro = "`helm install` refuses a value that is not in this table."
    body = table(["Value", "Type", "Default", "Bounds", "Meaning"], rows)
    return {"values.md": page(SOURCE, "Values of the chart", intro, body)}


def _rows(
    node: yaml.MappingNode, lines: List[str], schema: Dict[str, Any], prefix: str
) -> Iterator[List[str]]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        about = schema.get("properties", {}).get(key.value, {})
        comment = _comment_above(lines, key.start_mark.line)
        inner: List[List[str]] = []
        if isinstance(value, yaml.MappingNode):
            inner = [row for row in _rows(value, lines, about, f"{path}.") if row[-1]]
        if inner:
            # A section: its values are what can be set.
            if comment:
                yield [code(path), "section", "", "", comment]
            yield from inner
        else:
            kind = _KINDS[value.tag.rsplit(":", 1)[-1]]
            default = code(_default(value))
            yield [code(path), kind, default, bounds(about), comment]


def _comment_above(lines: List[str], number: int) -> str:
    """The comment that ends right above line ``number``, as one text."""
    found: List[str] = []
    while number > 0 and lines[number - 1].lstrip().startswith("#"):
        number -= 1
        found.insert(0, lines[number].strip().lstrip("#").strip())
    return " ".join(found)


def _default(node: yaml.Node) -> str:
    loader = yaml.SafeLoader("")
    try:
        return json.dumps(loader.construct_object(node, deep=True))
    finally:
        loader.dispose()
