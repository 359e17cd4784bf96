"""One page for each kind, from the CustomResourceDefinition that its model makes."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Tuple

from hack.lib.docs.markdown import code, codes, page, table
from kiro_swarm.api.crd import KINDS, Kind, crd
from kiro_swarm.api.meta import API_VERSION

Schema = Dict[str, Any]
Field = Tuple[str, Schema, bool]  # path, schema, required
_RULES = "x-kubernetes-validations"


def pages() -> Dict[str, str]:
    """File name -> text."""
    return {f"{kind.kind.lower()}.md": _page(kind) for kind in KINDS}


def schema_of(kind: Kind) -> Schema:
    """The OpenAPI schema of a kind, as it stands in its CRD."""
    version: Schema = crd(kind)["spec"]["versions"][0]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def fields(schema: Schema, prefix: str = "") -> Iterator[Field]:
    """Every field below ``schema``: ``a``, ``a.b``, ``list[].c``, ``map.*``."""
    required = schema.get("required", [])
    for name, child in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield path, child, name in required
        yield from _inner(child, path)


def _inner(schema: Schema, path: str) -> Iterator[Field]:
    yield from fields(schema, path)
    if isinstance(schema.get("items"), dict):
        yield from _inner(schema["items"], f"{path}[]")


def _page(kind: Kind) -> str:
    schema = schema_of(kind)
    spec, status = schema["properties"]["spec"], schema["properties"]["status"]
    return page(
        "operator/kiro_swarm/api",
        kind.kind,
        kind.description,
        f"{code(API_VERSION)}, namespaced. Names for kubectl: "
        f"{codes([kind.plural, *kind.short_names])}; `kubectl get kiro` shows all kinds.",
        "## spec",
        _fields(spec),
        "## status",
        _fields(status, defaults=False),
        "## Rules",
        "The API server refuses an object that breaks one of these, with the message.",
        table(["Where", "Message", "CEL"], _rules(schema)),
        "## Columns",
        table(["Column", "Where from", "Shown by"], _columns(kind)),
        _further(kind),
    )


def _fields(schema: Schema, *, defaults: bool = True) -> str:
    header = ["Field", "Type", "Default", "Bounds", "Meaning"]
    rows: List[List[str]] = []
    for path, child, required in fields(schema):
        row = [code(path), _type(child), _default(child, required), bounds(child)]
        rows.append([*row, str(child.get("description", ""))])
    if not defaults:
        header.remove("Default")
        rows = [[*row[:2], *row[3:]] for row in rows]
    return table(header, rows)


def _type(schema: Schema) -> str:
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object" and "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    if kind == "object" and "properties" not in schema:
        return "object, any fields"
    return "time" if schema.get("format") == "date-time" else kind


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    value = schema.get("default")
    if value is None or isinstance(value, dict) or value == []:
        return ""
    return code(json.dumps(value))


def bounds(schema: Schema) -> str:
    """What a schema allows, in words."""
    parts = []
    if "enum" in schema:
        parts.append(codes(schema["enum"]))
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minProperties", "maxProperties", " keys"),
    ):
        parts += _range(schema.get(low), schema.get(high), unit)
    if "pattern" in schema:
        parts.append(code(schema["pattern"]))
    if isinstance(schema.get("items"), dict):
        inner = bounds(schema["items"])
        parts += [f"each: {inner}"] if inner else []
    return "; ".join(parts)


def _range(low: Any, high: Any, unit: str) -> List[str]:
    if low is None and high is None:
        return []
    if high is None:
        return [f"at least {low}{unit}"]
    return [f"at most {high}{unit}"] if low is None else [f"{low} to {high}{unit}"]


def _rules(schema: Schema) -> Iterator[List[str]]:
    everything: List[Field] = [("metadata", schema, True), *fields(schema)]
    for path, child, _ in everything:
        rules = child.get(_RULES, [])
        if isinstance(child.get("items"), dict):
            rules = [*rules, *child["items"].get(_RULES, [])]
        for rule in rules:
            yield [code(path), rule["message"], code(rule["rule"])]


def _columns(kind: Kind) -> Iterator[List[str]]:
    for name, _, path, priority in kind.columns:
        shown = "`kubectl get -o wide`" if priority else "`kubectl get`"
        yield [name, code(path), shown]


def _further(kind: Kind) -> str:
    parts = []
    if kind.selectable:
        names = codes(path.lstrip(".") for path in kind.selectable)
        parts.append(f"`--field-selector` takes {names}.")
    if kind.scale:
        parts.append(
            f"`kubectl scale` sets {code(kind.scale['specReplicasPath'].lstrip('.'))}."
        )
    return " ".join(parts)
