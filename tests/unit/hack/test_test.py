"""hack/test: what it hands to pytest."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any, List

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAMING = "tests/unit/policy/test_naming.py"


def tool() -> Any:
    loader = SourceFileLoader("hack_test", str(ROOT / "hack" / "test"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ([], True),
        (["-k", "naming"], True),
        (["-k", "docs"], True),
        (["--ignore", NAMING], True),
        ([f"--ignore={NAMING}"], True),
        ([NAMING], False),
        (["-x", f"{NAMING}::test_it"], False),
        (["-k", "naming", "tests/unit/policy"], False),
    ],
)
def test_a_path_takes_the_place_of_the_whole_part(
    arguments: List[str], whole: bool
) -> None:
    assert tool().places(["unit"], arguments) == (["tests/unit"] if whole else [])


@pytest.mark.parametrize(
    ("arguments", "several"),
    [
        ([], True),
        (["--cov", "--cov-report=term", "--quiet", "-p", "no:cacheprovider"], True),
        (["-n", "0"], False),
        (["-n0"], False),
        (["--numprocesses=1"], False),
        (["--co"], False),
        (["-s"], False),
        (["--pdb"], False),
    ],
)
def test_several_workers_unless_the_caller_said_how_many(
    arguments: List[str], several: bool
) -> None:
    made = tool().workers(["unit", "cluster", "e2e"], arguments)
    assert made == (["--numprocesses=4"] if several else [])
