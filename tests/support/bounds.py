"""The largest object that a schema takes, and those that are one larger.

Called by the tests that ask a real API server whether it takes what a CRD promises. Made from
the schema alone: a field that is added is in it, without anybody thinking of it.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

Schema = Mapping[str, Any]
#: Fields with a form of their own, by the end of their path.
_FORMS: Dict[str, str] = {
    ".spec.colour": "#abcdef",
    ".spec.repository.url": "https://example.com/" + "a" * 2028,
    ".spec.repository.proxy": "https://" + "a" * 504,
    ".spec.integration.branch": "/".join(["a" * 63] * 3 + ["a" * 8]),
    ".spec.integration.maxFileSize": "1" * 12 + ".123Mi",
}
_TIME = "2026-11-22T10:00:00.000000Z"
#: What fills a text: the first that its pattern takes. Two bytes where none is asked for.
_FILLINGS = ("\u00e4", "a", "1")


#: A text of an entry that is not the first, where one such entry is to be enough.
_SHORT = 16


def largest(
    schema: Schema,
    path: str = "",
    without: Sequence[str] = (),
    number: int = 0,
    *,
    once: bool = False,
) -> Any:
    """A value at every upper bound of a schema.

    :param without: paths of fields to leave out.
    :param number: which of the entries of a list it is in: no two are the same.
    :param once: of a list or a map only the first entry has the longest texts: all of them are
        more than a request may have.
    """
    kind = schema.get("type")
    if kind == "object":
        made = {
            name: largest(inner, f"{path}.{name}", without, number, once=once)
            for name, inner in schema.get("properties", {}).items()
            if f"{path}.{name}" not in without
        }
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            for key in range(schema["maxProperties"]):
                made[f"k{key}"] = largest(
                    values, f"{path}.k{key}", without, key, once=once
                )
        return made
    if kind == "array":
        return [
            largest(schema["items"], f"{path}[{n}]", without, n, once=once)
            for n in range(schema["maxItems"])
        ]
    if kind == "string":
        return _text(schema, path, number, short=once and number > 0)
    if kind == "boolean":
        return True
    return schema.get("maximum", 10**9)


def _text(schema: Schema, path: str, number: int, *, short: bool) -> str:
    """The longest text, or a short one, another one for each number."""
    if "enum" in schema:
        return str(max(schema["enum"], key=len))
    if schema.get("format") == "date-time":
        return _TIME
    form = next((_FORMS[end] for end in _FORMS if path.endswith(end)), "")
    if form:
        return form
    length = int(schema["maxLength"])
    pattern = str(schema.get("pattern", ""))
    if short and not pattern:
        length = min(length, _SHORT)
    for filling in _FILLINGS:
        text = filling * length
        numbered = f"a{number}"
        if re.search(pattern, text):
            named = numbered + text[len(numbered) :]
            return named if re.search(pattern, named) else text
    raise AssertionError(f"no text is known for {path}: {pattern}")


def too_large(schema: Schema, value: Any, path: str = "") -> Tuple[Any, List[str]]:
    """The value with every leaf one above its bound, and the paths of these leaves.

    Of a list one entry stays: the lists themselves are within their bounds.
    """
    if isinstance(value, dict):
        made, paths = {}, []
        for key, inner in value.items():
            below = schema.get("properties", {}).get(key)
            below = below or schema.get("additionalProperties") or {}
            made[key], found = too_large(below, inner, f"{path}.{key}")
            paths += found
        return made, paths
    if isinstance(value, list):
        entry, paths = too_large(schema["items"], value[0], f"{path}[0]")
        return [entry], paths
    if isinstance(value, str) and "maxLength" in schema and "format" not in schema:
        more = value[-1] * (schema["maxLength"] + 1 - len(value))
        return value + more, [path]
    if "maximum" in schema:
        return schema["maximum"] + 1, [path]
    return value, []


def too_many(schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    """Make every outermost list and map of ``value`` one entry too long; the paths of them."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        below = schema.get("properties", {}).get(key) or {}
        if isinstance(inner, list):
            number = below["maxItems"]
            inner.append(largest(below["items"], f"{path}.{key}[{number}]", (), number))
            yield f"{path}.{key}"
        elif "maxProperties" in below:
            inner["one-more"] = next(iter(inner.values()))
            yield f"{path}.{key}"
        else:
            yield from too_many(below, inner, f"{path}.{key}")
