"""The CRDs: structural, bounded, described, and what kubectl needs of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional, Union

import pytest
import yaml
from pydantic import BaseModel, Field, ValidationError

from kiro_swarm.api.crd import KINDS, all_crds
from kiro_swarm.api.meta import GROUP
from kiro_swarm.api.schema import structural, without_defaults
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.cli.crds import FOLDERS, HEADER, generate
from kiro_swarm.commands.table import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
Schema = dict[str, Any]
CRDS = {crd["spec"]["names"]["kind"]: crd for crd in all_crds()}
#: Objects whose fields are not ours to name.
FREE_FORM = {
    "KiroSwarm.spec.template.affinity",
    "SwarmCommand.status.action.arguments",
    "SwarmCommand.status.action.parameters",
    "SwarmCommand.status.result.data",
}


def version_of(kind: str) -> dict[str, Any]:
    (version,) = CRDS[kind]["spec"]["versions"]
    assert isinstance(version, dict)
    return version


def walk(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every schema inside a schema, with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from walk(schema[inner], f"{path}[]")


def nodes(*parts: str) -> list[tuple[str, Schema]]:
    found = []
    for kind in CRDS:
        top = version_of(kind)["schema"]["openAPIV3Schema"]["properties"]
        for part in parts:
            found += list(walk(top[part], f"{kind}.{part}"))
    return found


def test_every_string_and_list_and_map_is_bounded() -> None:
    unbounded = []
    for path, schema in nodes("spec", "status"):
        kind = schema.get("type")
        if kind == "string" and not {"maxLength", "enum"} & set(schema):
            unbounded.append(path)
        if kind == "array" and "maxItems" not in schema:
            unbounded.append(path)
        if "additionalProperties" in schema and "maxProperties" not in schema:
            unbounded.append(path)
    assert unbounded == []


def test_every_field_says_what_it_is() -> None:
    mute = [
        path
        for path, schema in nodes("spec", "status")
        if not schema.get("description") and not path.endswith("[]")
    ]
    assert mute == []


def test_only_named_fields_are_free_form() -> None:
    free = {
        path
        for path, schema in nodes("spec", "status")
        if schema.get("x-kubernetes-preserve-unknown-fields")
        or not {"type", "enum"} & set(schema)
    }
    assert free == FREE_FORM


def test_schemas_are_structural() -> None:
    forbidden = {"$ref", "anyOf", "oneOf", "allOf", "$defs", "title", "const"}
    for path, schema in nodes("spec", "status"):
        assert not forbidden & set(schema), path
        assert not isinstance(schema.get("exclusiveMinimum"), int), path


def test_a_status_has_no_defaults_but_the_first_word() -> None:
    inside = [
        path
        for path, schema in nodes("status")
        if "default" in schema and path.count(".") > 1
    ]
    assert inside == []
    assert version_of("KiroTask")["schema"]["openAPIV3Schema"]["properties"]["status"][
        "default"
    ] == {"state": "Blocked"}


@pytest.mark.parametrize(
    ("kind", "plural", "short_names", "selectable"),
    [
        ("KiroSwarm", "kiroswarms", ["swarm", "ks"], []),
        ("KiroInstance", "kiroinstances", ["ki"], [".spec.swarm"]),
        (
            "KiroTask",
            "kirotasks",
            ["kt"],
            [".spec.swarm", ".status.instance", ".status.state"],
        ),
        ("SwarmCommand", "swarmcommands", ["scmd"], [".spec.swarm"]),
    ],
)
def test_kubectl_finds_the_kind_by_its_names_and_fields(
    kind: str, plural: str, short_names: list[str], selectable: list[str]
) -> None:
    spec, version = CRDS[kind]["spec"], version_of(kind)
    assert CRDS[kind]["metadata"]["name"] == f"{plural}.{GROUP}"
    assert spec["names"]["shortNames"] == short_names
    assert spec["names"]["categories"] == ["kiro"]
    assert spec["scope"] == "Namespaced"
    assert version["subresources"]["status"] == {}
    paths = [field["jsonPath"] for field in version.get("selectableFields", [])]
    assert paths == selectable


def test_only_a_swarm_can_be_scaled_and_its_paths_exist() -> None:
    scaled = [kind for kind in CRDS if "scale" in version_of(kind)["subresources"]]
    assert scaled == ["KiroSwarm"]
    known = {path.replace("KiroSwarm", "") for path, _ in nodes("spec", "status")}
    assert set(version_of("KiroSwarm")["subresources"]["scale"].values()) <= known


def test_printer_columns_and_selectable_fields_exist() -> None:
    for kind in CRDS:
        version = version_of(kind)
        top = version["schema"]["openAPIV3Schema"]["properties"]
        known = {".metadata.creationTimestamp"}
        for part in ("spec", "status"):
            known |= {path for path, _ in walk(top[part], f".{part}")}
        used = [column["jsonPath"] for column in version["additionalPrinterColumns"]]
        used += [field["jsonPath"] for field in version.get("selectableFields", [])]
        assert set(used) <= known, kind


def test_names_are_held_to_what_is_made_from_them() -> None:
    for kind in KINDS:
        (rule,) = version_of(kind.kind)["schema"]["openAPIV3Schema"][
            "x-kubernetes-validations"
        ]
        assert "metadata.name" in rule["rule"]


@pytest.mark.parametrize(
    "field", ["communication", "autoscaling", "featureFlags", "deploymentTargets"]
)
def test_a_field_that_does_nothing_yet_is_refused_with_words(field: str) -> None:
    spec = version_of("KiroSwarm")["schema"]["openAPIV3Schema"]["properties"]["spec"]
    rules = spec["properties"][field]["x-kubernetes-validations"]
    refusals = [rule["message"] for rule in rules if rule["rule"] == "false"]
    assert refusals[0].startswith(f"spec.{field} is not available in this version: ")


def test_the_generated_files_are_those_in_the_tree(tmp_path: Path) -> None:
    generate(tmp_path)
    for folder in FOLDERS:
        names = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert len(names) == 4
        for name in names:
            text = (tmp_path / folder / name).read_text()
            assert text.startswith(HEADER)
            if not name.startswith("swarmcommands."):
                assert yaml.safe_load(text) in all_crds()
            assert text == (ROOT / folder / name).read_text(), "run hack/update-crds"


def test_kubectl_explain_tells_every_sentence_once() -> None:
    text = (ROOT / "crds" / f"swarmcommands.{GROUP}.yaml").read_text()
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    told = spec["properties"]["command"]["description"]
    assert told.startswith("The sentence: verb, noun, modifiers, parameters. One of: ")
    for command in COMMANDS:
        assert told.count(f" {command.usage};") + told.count(f" {command.usage}.") == 1


class Inner(BaseModel):
    """Of its own type."""

    number: int = 1
    text: Optional[str] = None


class Outer(BaseModel):
    """What pydantic can say."""

    made: Inner = Field(default_factory=Inner, description="made by default")
    perhaps: Optional[Inner] = Field(default=None, description="of the field")
    table: dict[str, Inner] = Field(default_factory=dict)
    items: list[Inner] = Field(default_factory=list)
    closed: dict[str, int] = Field(default_factory=dict)


def test_objects_with_defaults_inside_get_a_default_of_their_own() -> None:
    made = structural(Outer)["properties"]
    assert made["made"]["default"] == {"number": 1}
    assert "default" not in made["perhaps"]
    assert made["perhaps"]["description"] == "of the field"
    assert made["items"]["items"]["properties"]["number"]["default"] == 1


def test_without_defaults_reaches_every_corner() -> None:
    bare = without_defaults(structural(Outer))
    assert [path for path, schema in walk(bare, "") if "default" in schema] == []


def test_a_field_of_two_types_cannot_be_structural() -> None:
    class TwoTypes(BaseModel):
        field: Union[int, str] = 1

    with pytest.raises(ValueError, match="not structural"):
        structural(TwoTypes)


@pytest.mark.parametrize(
    ("case", "change", "field"),
    [
        ("a misspelt field", {"instnaces": 3}, "instnaces"),
        ("too many instances", {"instances": 1001}, "instances"),
        ("a ref that climbs", {"repository": {"url": "x", "ref": "-x"}}, "ref"),
        ("no agent", {"template": {}}, "agent"),
        ("an empty command", {"template": {"agent": {"command": []}}}, "command"),
    ],
)
def test_a_wrong_spec_is_refused_and_the_field_named(
    case: str, change: dict[str, Any], field: str
) -> None:
    good: dict[str, Any] = {
        "repository": {"url": "https://example.org/x.git"},
        "tasks": {"inline": "- [ ] 1 x"},
        "template": {"agent": {"command": ["true"]}},
    }
    KiroSwarmSpec.model_validate(good)
    with pytest.raises(ValidationError) as refused:
        KiroSwarmSpec.model_validate({**good, **change})
    assert field in str(refused.value), case
