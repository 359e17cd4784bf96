"""pydantic models and TypedDicts -> structural OpenAPI v3 schemas, as the API server wants them.

Called by ``crd.py``. A structural schema has no ``$ref``, no ``anyOf`` with null and no
titles; objects with defaults inside need a default of their own, or the API server never
looks into them.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

Schema = dict[str, Any]


def structural(shape: type[object]) -> Schema:
    """The structural schema of a pydantic model or a TypedDict, ready for a CRD."""
    raw = TypeAdapter(shape).json_schema(by_alias=True, mode="validation")
    return _convert(raw, raw.get("$defs", {}))


def _convert(node: Schema, definitions: Schema) -> Schema:
    node = _merge_reference(node, definitions)
    if "anyOf" in node:
        options = [item for item in node["anyOf"] if item.get("type") != "null"]
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        # A description on the field is about the field: it wins over the type's own.
        node = {**_merge_reference(options[0], definitions), **rest}
        if len(options) != 1:
            raise ValueError(f"not structural, more than one type: {options}")
    out: Schema = {}
    for key, value in node.items():
        if key in ("title", "$defs") or (key == "default" and value is None):
            continue
        if key == "const":
            out["enum"] = [value]
        elif key == "properties":
            out[key] = {
                name: _convert(child, definitions) for name, child in value.items()
            }
        elif key == "items":
            out[key] = _convert(value, definitions)
        elif key == "additionalProperties":
            if isinstance(value, dict):
                out[key] = _convert(value, definitions)
            elif value:
                out["x-kubernetes-preserve-unknown-fields"] = True
        else:
            out[key] = value
    return _with_object_defaults(out, node)


def _merge_reference(node: Schema, definitions: Schema) -> Schema:
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].rsplit("/", 1)[-1]]
    own = {key: value for key, value in node.items() if key != "$ref"}
    merged = {**target, **own}
    both = "x-kubernetes-validations"
    if both in target and both in own:
        merged[both] = [*own[both], *target[both]]
    return merged


def _with_object_defaults(schema: Schema, raw: Schema) -> Schema:
    """Give objects made by a ``default_factory`` their fields' defaults as default.

    pydantic writes ``default: null`` for Optional fields and no default at all for a
    ``default_factory``: that tells the two apart.
    """
    required = schema.get("required", [])
    for name, child in schema.get("properties", {}).items():
        optional = "default" in raw["properties"][name]
        if child.get("type") == "object" and name not in required and not optional:
            child["default"] = {
                key: grandchild["default"]
                for key, grandchild in child.get("properties", {}).items()
                if "default" in grandchild
            }
    return schema


def without_defaults(schema: Schema) -> Schema:
    """The schema without any default: a status says only what somebody wrote."""
    out = {key: value for key, value in schema.items() if key != "default"}
    for key in ("items", "additionalProperties"):
        if isinstance(out.get(key), dict):
            out[key] = without_defaults(out[key])
    if "properties" in out:
        out["properties"] = {
            name: without_defaults(child) for name, child in out["properties"].items()
        }
    return out
