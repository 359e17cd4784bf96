"""No name that somebody else has chosen is read as lines of text, or taken for UTF-8.

``str.splitlines`` ends a line at U+2028, U+0085 and more, which git takes in the name of a tag,
a branch or a file; a strict codec raises at a name that is bytes. So neither is used where
names are met: lines end at a line feed alone, and a codec is ``ascii`` (git's own words and
ids), or says what becomes of the rest.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator

import pytest

import kiro_swarm

ROOT = Path(kiro_swarm.__file__).parent
PACKAGES = ("workspace", "jobs", "runner", "cli", "sandbox")
#: Strict, and why that is right.
KNOWN = {
    ("workspace/spec.py", 'content.decode("utf-8")'): "whether it is text is asked",
    ("workspace/portable.py", 'path.decode("utf-8")'): "whether it is UTF-8 is asked",
    ("workspace/briefs.py", 'data.decode("utf-8")'): "encoded one line before",
    ("workspace/errors.py", '.decode("utf-8")'): "encoded in the same line",
    ("workspace/inspect.py", 'text.encode("utf-8")'): "decoded with replacement",
    ("jobs/inspect.py", "found.text.encode()"): "the same",
    ("jobs/environment.py", "text.encode()"): "JSON, which is ASCII",
    ("jobs/merging.py", ".join(what).encode()"): "JSON that pydantic has written",
    ("workspace/credentials.py", 'quote(value, safe="").encode()'): "percent-encoded",
    ("workspace/git.py", "HIDDEN.encode()"): "a constant",
    ("jobs/prepare.py", '.decode("utf-8")'): "the error is told of a task file",
    ("jobs/prepare.py", 'content.decode("utf-8")'): "read_spec has proved it",
    ("cli/tasks.py", 'data.decode("utf-8")'): "the error is told of a task file",
    ("cli/kubectl/views/grid.py", ".decode()"): "made ASCII in the same line",
    ("sandbox/execution.py", '.encode("utf-8")'): "decoded with replacement",
    ("sandbox/execution.py", '.decode("utf-8")'): "encoded in the same line",
    ("sandbox/frames.py", '.encode("utf-8")'): "JSON that pydantic has written",
}


def careless(source: str) -> Iterator[str]:
    """Calls that read lines as Unicode does, or stop at what is no UTF-8."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "splitlines":
            yield ast.unparse(node)
        if node.func.attr in ("encode", "decode") and not node.keywords:
            said = [ast.literal_eval(x) for x in node.args if _is_text(x)]
            if len(said) == len(node.args) and said in ([], ["utf-8"]):
                yield ast.unparse(node).replace("'", '"')


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_no_name_is_read_as_text() -> None:
    found: set[tuple[str, str]] = set()
    strange: list[str] = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            for call in careless(path.read_text("utf-8")):
                known = {key for key in KNOWN if key[0] == name and key[1] in call}
                found |= known
                strange += [] if known else [f"{name}: {call}"]
    assert strange == []
    assert found == set(KNOWN), "what is not there any more is not known either"


@pytest.mark.parametrize(
    "line",
    [
        "said.splitlines()",
        "a.b().splitlines(True)",
        "name.encode()",
        "x.decode('utf-8')",
    ],
)
def test_the_check_sees(line: str) -> None:
    assert list(careless(line))


@pytest.mark.parametrize(
    "line", ["said.split('\\n')", "x.decode('ascii')", "x.decode('utf-8', 'replace')"]
)
def test_the_check_takes(line: str) -> None:
    assert not list(careless(line))
