"""Every place of the program that parses a format is known, with what bounds it.

A parser that is new belongs into the table below: either it reads through
``kiro_swarm.api.bounded_json``, or the table says why nobody can hand it a bomb.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType
from typing import Dict, Iterator, Set, Tuple

import pytest

import kiro_swarm
from tests.fuzz.targets import targets

ROOT = Path(kiro_swarm.__file__).parent
#: What parses a text, whatever object it belongs to, and what does so by its whole name.
PARSERS = {
    *("loads", "raw_decode", "literal_eval", "fromstring", "model_validate_json"),
    *(
        "validate_json",
        "safe_load",
        "safe_load_all",
        "full_load",
        "load_all",
        "unpackb",
    ),
    *("decompress", "decompressobj", "ZipFile", "TarFile"),
}
WHOLE = {"json.load", "yaml.load", "pickle.load", "marshal.load", "eval", "exec"}
KNOWN: Dict[Tuple[str, str], str] = {
    ("api/bounded_json.py", "json.loads"): "what bounds all the others",
    ("api/reports.py", "kind.validate_json"): "16 KiB at most, checked before",
    ("agents/scripted.py", "_RECIPES.validate_json"): "in the agent's own container: "
    "it can end nobody but itself",
    (
        "runner/config.py",
        "WorkSettings.model_validate_json",
    ): "the operator's own words, "
    "in the environment of a pod",
    ("sandbox/frames.py", "Exit.model_validate_json"): "check_json, and 64 KiB a frame",
    (
        "sandbox/handshake.py",
        "_Hello.model_validate_json",
    ): "check_json, and a bounded line",
    (
        "sandbox/handshake.py",
        "_Answer.model_validate_json",
    ): "check_json, and a bounded "
    "line",
    (
        "sandbox/handshake.py",
        "_REQUEST.validate_json",
    ): "check_json, and a bounded line",
    ("tasks/file/waves.py", "json.loads"): "check_json, and 4 MiB of a task file",
    (
        "tasks/file/reading.py",
        "PublishedGraph.model_validate_json",
    ): "scan, and 32 MiB; its lists are empty",
    ("tasks/file/reading.py", "kind.validate_json"): "scan, and a slice of a list",
    ("tasks/file/wire.py", "zlib.decompressobj"): "unpacks 32 MiB at most",
    ("tasks/file/wire.py", "reader.decompress"): "unpacks 32 MiB at most",
}
#: Which target of ``hack/fuzz`` feeds it; none where nobody else wrote what it reads.
FED_BY = {
    "api/bounded_json.py": "json",
    "api/reports.py": "reports",
    "agents/scripted.py": "",
    "runner/config.py": "",
    "sandbox/frames.py": "frames",
    "sandbox/handshake.py": "frames",
    "tasks/file/waves.py": "tasks",
    "tasks/file/reading.py": "graphs",
    "tasks/file/wire.py": "graphs",
    # What reads by hand what agents, gates, servers and other releases say.
    "policy/chain.py": "ledger",
    "runner/worktree.py": "evidence",
    "commands/parser.py": "sentences",
    "tasks/file/parser.py": "tasks",
    "tasks/file/prose_grammar.py": "prose",
    "workspace/answers.py": "repositories",
    "workspace/attributes.py": "repositories",
    "workspace/encrypted.py": "repositories",
    "workspace/globs.py": "repositories",
    "workspace/objects.py": "repositories",
    "workspace/refs.py": "repositories",
    "workspace/refusals.py": "repositories",
    "workspace/sealed.py": "repositories",
}


def parsers(path: Path) -> Iterator[Tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.rpartition(".")[2] in PARSERS or name in WHOLE:
                yield str(path.relative_to(ROOT)), name


def test_every_parser_is_known_and_each_known_one_is_there() -> None:
    found = {place for path in ROOT.rglob("*.py") for place in parsers(path)}
    assert found == set(KNOWN)


def test_every_parser_of_what_others_wrote_is_fuzzed() -> None:
    assert {module for module, _ in KNOWN} <= set(FED_BY)


@pytest.mark.parametrize("module", [name for name, fed in FED_BY.items() if fed])
def test_a_target_gets_to_the_parser_that_it_feeds(module: str) -> None:
    target = targets()[FED_BY[module]]
    reached: Set[str] = set()

    def see(frame: FrameType, event: str, argument: object) -> None:
        reached.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        for text in target.examples:
            target.check(text)
    finally:
        sys.setprofile(before)
    assert str(ROOT / module) in reached


def test_yaml_is_written_and_never_read() -> None:
    """Aliases and tags of YAML need no bound here: no YAML of anybody is read."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "yaml":
                assert node.attr in ("safe_dump", "YAMLError"), path
