"""Whether objects that an earlier release stored are valid today, and mean the same.

``losses`` compares two schemas: it knows every way in which the later one could refuse or read
otherwise what the earlier one let in. ``objects`` makes objects that are valid under a schema,
and ``defaulted`` fills in what the API server fills in when it reads one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
#: Bounds of which the later value may not be smaller, and not larger.
_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "minLength", "minItems", "minProperties")
#: What has to be the same: another one reads a stored value otherwise, or may refuse it.
_SAME = (
    *("type", "format", "pattern", "default", "x-kubernetes-list-type"),
    *("x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields"),
)
_RULES = "x-kubernetes-validations"
_LONG = 300


def losses(before: Schema, now: Schema, path: str) -> Iterator[str]:
    """What of ``before`` is refused or read otherwise by ``now``; nothing when all is well.

    A new field that has no default and is not required is no loss, nor is a wider bound.
    """
    for name in _SAME:
        if before.get(name) != now.get(name):
            yield f"{path}: {name} was {before.get(name)!r}, is {now.get(name)!r}"
    for name in _UPPER:
        if now.get(name, float("inf")) < before.get(name, float("inf")):
            yield f"{path}: {name} is narrower: {now[name]}"
    for name in _LOWER:
        if now.get(name, float("-inf")) > before.get(name, float("-inf")):
            yield f"{path}: {name} is narrower: {now[name]}"
    if "enum" in now:
        gone = set(before.get("enum", ["anything"])) - set(now["enum"])
        if gone:
            yield f"{path}: no longer allowed: {sorted(gone)}"
    new = set(now.get("required", [])) - set(before.get("required", []))
    if new:
        yield f"{path}: now required: {sorted(new)}"
    known = {rule["rule"] for rule in before.get(_RULES, [])}
    for rule in now.get(_RULES, []):
        if rule["rule"] not in known:
            yield f"{path}: a new rule: {rule['rule']}"
    yield from _losses_inside(before, now, path)


def _losses_inside(before: Schema, now: Schema, path: str) -> Iterator[str]:
    fields = now.get("properties", {})
    for name, child in before.get("properties", {}).items():
        if name in fields:
            yield from losses(child, fields[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: is gone"
    for name, child in fields.items():
        if name not in before.get("properties", {}) and "default" in child:
            yield f"{path}.{name}: is new and has a default for old objects"
    for inner in ("items", "additionalProperties"):
        if isinstance(before.get(inner), dict):
            yield from losses(before[inner], now.get(inner) or {}, f"{path}[]")


def objects(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that are valid under a structural schema, the largest ones among them."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        return _mappings(schema)
    if kind == "array":
        unique = schema.get("x-kubernetes-list-type") == "set"
        low, high = schema.get("minItems", 0), schema.get("maxItems", 3)
        return st.lists(
            objects(schema["items"]),
            min_size=low,
            max_size=max(low, min(3, high)),
            unique=unique,
        )
    if kind == "string":
        return _strings(schema)
    low, high = schema.get("minimum", 0), schema.get("maximum", 10**6)
    if kind == "integer":
        return st.sampled_from([low, high]) | st.integers(low, high)
    if kind == "number":
        return st.floats(low, high, allow_nan=False)
    return st.booleans()


def _mappings(schema: Schema) -> st.SearchStrategy[Any]:
    required = set(schema.get("required", []))
    fields = {
        name: objects(child)
        for name, child in schema.get("properties", {}).items()
        # Declared and always refused: nobody has stored one.
        if all(rule["rule"] != "false" for rule in child.get(_RULES, []))
    }
    if fields:
        return st.fixed_dictionaries(
            {name: made for name, made in fields.items() if name in required},
            optional={n: made for n, made in fields.items() if n not in required},
        )
    values = schema.get("additionalProperties")
    inner = objects(values) if isinstance(values, dict) else st.integers(0, 9)
    return st.dictionaries(st.text("abc", min_size=1, max_size=5), inner, max_size=2)


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    low, high = schema.get("minLength", 0), schema.get("maxLength", _LONG)
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda when: when.isoformat() + "Z")
    if "pattern" in schema:
        pattern: str = schema["pattern"]
        made = st.from_regex(pattern, fullmatch=True)
        return made.filter(lambda text: low <= len(text) <= high and "\n" not in text)
    longest = st.just("x" * high)
    return st.text(min_size=low, max_size=max(low, min(12, high))) | longest


def defaulted(schema: Schema, value: Any) -> Any:
    """The value as the API server gives it out: with the defaults of the schema."""
    if isinstance(value, list):
        return [defaulted(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name, child in schema.get("properties", {}).items():
        if name not in found and "default" in child:
            found[name] = child["default"]
        if name in found:
            found[name] = defaulted(child, found[name])
    return found
