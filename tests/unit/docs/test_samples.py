"""What a reader can copy works: YAML passes the models, kubectl's arguments exist."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest
import yaml

from hack.lib.docs.kinds import fields, schema_of
from kiro_swarm.api.crd import KINDS, Kind
from kiro_swarm.api.meta import API_VERSION, GROUP
from kiro_swarm.cli.kubectl.failure import Failure
from kiro_swarm.cli.kubectl.route import route
from kiro_swarm.cli.kubectl.sentence import sentence_of, understood
from kiro_swarm.cli.kubectl.spoken import places_of
from kiro_swarm.commands.parser import parse as parse_sentence
from kiro_swarm.tasks.file.parser import parse as parse_tasks
from tests.support.shapes import valid
from tests.unit.docs.pages import (
    Block,
    blocks,
    code_words,
    existing_pages,
    heredocs,
    name_of,
    read,
)

Object = Any
#: Conditions that each kind has; test_conditions.py compares them with the code.
CONDITIONS: Dict[str, Set[str]] = {
    "KiroSwarm": {
        *("Ready", "Reconciling", "Stalled", "Prepared", "Complete", "Integrated"),
        *("ApprovalNeeded", "Hindered", "VolumeFilling", "VolumeResized"),
    },
    "KiroInstance": {"Ready"},
    "KiroTask": {"ConflictPredicted", "Late"},
    "SwarmCommand": {"Complete", "Failed", "Logged"},
}
NAMES: Dict[str, Kind] = {
    name: kind
    for kind in KINDS
    for name in (kind.plural, kind.kind.lower(), *kind.short_names)
}
#: Kinds of Kubernetes that a page may name, and what kubectl may be asked to do.
FOREIGN = {"configmaps", "pods", "job", "deployment", "events", "kiro", "nodes"}
#: Flags whose value is a word of its own.
WITH_VALUE = {"-c", "-f", "-l", "-n", "-o", "--container", "--namespace", "--output"}
PLACES = {"SENTENCE", "VIEW", "VERB"}
VERBS = {
    *("apply", "create", "delete", "describe", "get", "logs", "patch", "rollout"),
    *("auth", "completion", "krew", "plugin", "scale", "swarm", "version", "wait"),
}


def yaml_texts(block: Block) -> Iterator[str]:
    """The YAML of a block: all of it, or what a command of it is given."""
    given = [text for text in heredocs(block) if "apiVersion:" in text]
    if given:
        yield from given
    elif block.language in ("yaml", "yml") or block.lines[0].startswith("apiVersion:"):
        yield block.text


def samples() -> List[Tuple[str, str]]:
    return [
        (f"{name_of(path)}:{block.line}", text)
        for path in existing_pages()
        for block in blocks(read(path))
        for text in yaml_texts(block)
    ]


def kubectl_lines(text: str) -> Iterator[str]:
    """Every call of kubectl, in blocks and in code spans, on one line each."""
    for block in blocks(text):
        lines = block.text.replace("\\\n", " ").splitlines()
        for line, answer in zip(lines, [*lines[1:], ""]):
            found = re.match(r"(?:\$ )?(kubectl .*)", line)
            if found and not answer.startswith("error:"):  # wrong on purpose
                yield found[1]
    prose = re.sub(r"(?m)^( {4}.*|```[\s\S]*?```)$", "", text)
    for word in code_words(re.sub(r"(?<=\S)\n(?=\S)", " ", prose)):
        if word.startswith("kubectl "):
            yield word


def calls() -> List[Tuple[str, str]]:
    return [
        (name_of(path), line)
        for path in existing_pages()
        for line in kubectl_lines(read(path))
    ]


def problems(document: Object) -> Iterator[str]:
    """What is wrong with an object of ours."""
    assert {"kind", "apiVersion", "metadata"} <= set(document)
    if not document["apiVersion"].startswith(GROUP):
        return
    if document["apiVersion"] != API_VERSION:
        yield f"apiVersion {document['apiVersion']}"
    kind = NAMES[document["kind"].lower()]
    spec = valid(kind.spec, document["spec"])
    command = spec["command"] if kind.kind == "SwarmCommand" else None
    if isinstance(command, str):
        parse_sentence(command)
    inline = document["spec"].get("tasks", {}).get("inline")
    if inline:
        yield from (str(item) for item in parse_tasks(inline).diagnostics)


@pytest.mark.parametrize(("place", "text"), samples(), ids=lambda item: item[:40])
def test_a_yaml_sample_passes_the_models(place: str, text: str) -> None:
    documents = [item for item in yaml.safe_load_all(text) if item]
    assert documents, place
    for document in documents:
        assert list(problems(document)) == [], place


def test_the_samples_are_found() -> None:
    kinds = {yaml.safe_load(text)["kind"] for _, text in samples()}
    assert {"KiroSwarm", "SwarmCommand", "ConfigMap"} <= kinds


def unknown(line: str) -> Iterator[str]:
    """What kubectl, or our API, does not know in a call."""
    words = shlex.split(line.rstrip("&").strip(), comments=True)[1:]
    verb, *plain = [
        word
        for before, word in zip(["", *words], words)
        if not word.startswith("-") and before not in WITH_VALUE
    ]
    if verb not in VERBS:
        yield f"verb {verb!r}"
    if verb == "swarm":
        yield from misunderstood(words[words.index("swarm") + 1 :])
    if verb not in ("get", "describe", "wait", "scale") or not plain:
        return  # a file, a pod's name, or no more than the name of the command
    resource = plain[0].split("/")[0]
    kind = NAMES.get(resource)
    if kind is None and resource not in FOREIGN:
        yield f"resource {resource!r}"
    for condition in re.findall(r"--for[= ]condition=(\w+)", line):
        if kind is not None and condition not in CONDITIONS[kind.kind]:
            yield f"condition {condition} of {kind.kind}"
    for path in re.findall(r"\{\.((?:spec|status)[\w.]*)\}", line):
        if kind is not None and path not in paths(kind):
            yield f"path .{path} of {kind.kind}"


def misunderstood(words: List[str]) -> Iterator[str]:
    """What ``kubectl swarm`` does not understand; a place for a word is none."""
    words = list(itertools.takewhile(lambda word: word not in ("|", ">"), words))
    try:
        way = route(words)
        if way.view is None and not PLACES & {word.strip(".") for word in words}:
            said = [way.rest[place] for place in places_of(way.rest)[0]]
            understood(sentence_of(said or [word for word in way.rest if word != "--"]))
    except Failure as failure:
        yield failure.message


def paths(kind: Kind) -> Set[str]:
    """Every field of a kind that a JSON path may name."""
    return {path for path, _, _ in fields(schema_of(kind))}


@pytest.mark.parametrize(("page", "line"), calls(), ids=lambda item: item[:60])
def test_a_call_of_kubectl_names_what_exists(page: str, line: str) -> None:
    assert list(unknown(line)) == [], page


@pytest.mark.parametrize(
    "line",
    [
        "kubectl gett kiro",
        "kubectl swarm shop dance",
        "kubectl swarm -n team run tusk 2.1",
        "kubectl get kiroswarmz",
        "kubectl wait kiroswarm/shop --for=condition=Completed",
        "kubectl wait kirotask/shop-1 --for=condition=Ready",
        "kubectl get kiroswarm shop -o jsonpath='{.status.fase}'",
    ],
)
def test_a_call_that_cannot_work_is_seen(line: str) -> None:
    assert len(list(unknown(line))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "kind: KiroSwarm\nspec: {instances: 1}",
        "kind: SwarmCommand\nspec: {swarm: a, command: dance wildly}",
        "kind: KiroTask\nspec: {swarm: a, id: '1', colour: red}",
    ],
)
def test_a_sample_that_cannot_work_is_seen(text: str) -> None:
    document = {"apiVersion": API_VERSION, "metadata": {"name": "a"}}
    with pytest.raises(Exception, match=r"Field required|dance|Extra inputs"):
        list(problems({**document, **yaml.safe_load(text)}))


def test_blocks_are_found_in_both_forms(tmp_path: Path) -> None:
    text = "a\n\n    one\n\n    two\n\nb\n- item\n    text\n\n```sh\nthree\n```\n"
    assert [(block.language, block.lines) for block in blocks(text)] == [
        ("", ["one", "", "two"]),
        ("sh", ["three"]),
    ]
