"""The pinned requirement files: what verify-requirements sees in them."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest
from packaging.requirements import Requirement

from hack.lib.requirements import declarations, problems, verify

PROJECT: Dict[str, Any] = {
    "name": "sample",
    "dependencies": [
        "kopf>=1.45; python_version >= '3.11'",
        "kopf<1.39; python_version < '3.10'",
    ],
    "optional-dependencies": {
        **{"test": ["pytest>=8"], "dev": ["sample[test]", "build"]},
        "oracles": ["ortools>=9"],
    },
}


def pinned(name: str, version: str) -> str:
    return f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    ("version", "extra", "names"),
    [
        ("3.11", "", ["kopf>=1.45"]),
        ("3.9", "", ["kopf<1.39"]),
        ("3.10", "", []),
        ("3.10", "dev", ["build", "pytest>=8"]),
        ("3.11", "oracles", ["ortools>=9"]),
    ],
)
def test_markers_and_extras_decide_what_is_declared(
    version: str, extra: str, names: List[str]
) -> None:
    found = declarations(PROJECT, version, extra)
    assert sorted(f"{one.name}{one.specifier}" for one in found) == names


def test_a_hashed_pin_within_the_bounds_is_fine_whatever_the_spelling() -> None:
    assert list(problems(pinned("PyYAML", "6.0.3"), [Requirement("pyyaml>=6")])) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "pyyaml>=6 of pyproject.toml is not pinned"),
        (pinned("pyyaml", "5.4"), "pins 5.4 where pyproject.toml says pyyaml>=6"),
        ("pyyaml==6.0.3\n", "pyyaml has no hash"),
        (
            "--index-url https://example.org/simple\n" + pinned("pyyaml", "6.0.3"),
            "line 1 names an index, an address or a folder: "
            "--index-url https://example.org/simple",
        ),
        (
            pinned("pyyaml", "6.0.3") + "-e file:///somewhere\n",
            "line 3 names an index, an address or a folder: -e file:///somewhere",
        ),
        (
            pinned("pyyaml", "6.0.3") + "--find-links wheels\n",
            "line 3 names an index, an address or a folder: --find-links wheels",
        ),
    ],
    ids=["not pinned", "too old", "no hash", "index", "local path", "folder of wheels"],
)
def test_what_must_not_be_in_a_file_is_named(text: str, problem: str) -> None:
    assert list(problems(text, [Requirement("pyyaml>=6")])) == [problem]


def test_the_files_of_this_checkout_fit_its_pyproject() -> None:
    assert verify() == 0
