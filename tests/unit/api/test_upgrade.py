"""Objects that release 6cb2b6b stored are valid under today's schemas, and mean the same.

Its CRDs are in tests/fixtures. Whoever changes ``api/`` so that a test here fails would break
objects in clusters: what is stored is not written anew by an upgrade. A way out is a new
version of the API; it is not to change the fixture.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kiro_swarm.api.access import spec_of
from kiro_swarm.api.crd import KINDS, Kind, crd
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.template import HARMLESS_RULE
from tests.support.shapes import valid
from tests.unit.api.upgrade import Schema, defaulted, losses, objects

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "crds-6cb2b6b"
NAMES = [kind.plural for kind in KINDS]


def schema_of(document: dict[str, Any]) -> Schema:
    (version,) = document["spec"]["versions"]
    found: Schema = version["schema"]["openAPIV3Schema"]
    return found


def before(plural: str) -> dict[str, Any]:
    text = (FOLDER / f"{plural}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


BEFORE = {name: before(name) for name in NAMES}
NOW = {kind.plural: crd(kind) for kind in KINDS}
KIND = {kind.plural: kind for kind in KINDS}
#: What differs and loses nothing, each for a reason of its own.
HARMLESS = {
    "kiroswarms": [
        # Without a ref the default branch is taken. An API server writes the defaults into
        # what it stores, so every object that began from "main" by default says so.
        "KiroSwarm.spec.repository.ref: default was 'main', is None",
        # The same rule as before, of the object around it: it is true of whatever is not
        # changed.
        "KiroSwarm.spec.repository: a new rule: has(self.ref) == has(oldSelf.ref) && "
        "(!has(self.ref) || self.ref == oldSelf.ref)",
        # One rule became two, which allow more: the size may grow. Both are true of whatever is
        # not changed.
        *(
            f"KiroSwarm.spec: a new rule: {rule['rule']}"
            for rule in KiroSwarmSpec.model_json_schema()["x-kubernetes-validations"]
            if "oldSelf.storage" in rule["rule"]
        ),
        # What gives a pod more rights than its template says is meant to be refused. API
        # servers do not ask again about what is not changed, and pods are made without it.
        *(
            f"KiroSwarm.spec.template.podOverrides.{field}: a new rule: "
            f"{HARMLESS_RULE[0]}"
            for field in ("annotations", "labels")
        ),
    ]
}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_was_allowed_is_refused_or_read_otherwise(name: str) -> None:
    found = losses(schema_of(BEFORE[name]), schema_of(NOW[name]), KIND[name].kind)
    assert sorted(found) == sorted(HARMLESS.get(name, []))


@pytest.mark.parametrize("name", NAMES)
def test_the_kind_is_found_under_all_its_names(name: str) -> None:
    old, new = BEFORE[name]["spec"], NOW[name]["spec"]
    assert (old["group"], old["scope"]) == (new["group"], new["scope"])
    for key, value in old["names"].items():
        if isinstance(value, list):
            assert set(value) <= set(new["names"][key])
        else:
            assert value == new["names"][key]
    (was,), (version,) = old["versions"], new["versions"]
    assert (was["name"], version["served"], version["storage"]) == (
        version["name"],
        True,
        True,
    )
    assert was["subresources"] == version["subresources"]
    fields = version.get("selectableFields", [])
    assert all(field in fields for field in was.get("selectableFields", []))


def readable(kind: Kind, item: Any) -> bool:
    """Whether the program of today can read the spec."""
    if kind.kind == "KiroSwarm":
        return spec_of(item) is not None
    valid(kind.spec, item["spec"])
    return True


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_an_object_that_was_valid_is_valid_and_means_the_same(
    name: str, data: st.DataObject
) -> None:
    old, new = schema_of(BEFORE[name]), schema_of(NOW[name])
    item = data.draw(objects({**old, "required": ["spec"]}))
    item.update(apiVersion="v1", kind=KIND[name].kind, metadata={"name": "a"})
    Draft202012Validator(old).validate(item)
    # It is stored with the defaults of its day, and given out with those of today.
    stored = defaulted(old, item)
    Draft202012Validator(new).validate(stored)
    assert defaulted(new, stored) == stored
    assert readable(KIND[name], stored)


def spoilt(change: Callable[[Any, Any], Any]) -> list[str]:
    """What is lost when the spec and the status of KiroTask are changed like this."""
    old = schema_of(BEFORE["kirotasks"])
    new = copy.deepcopy(old)
    spec, status = new["properties"]["spec"], new["properties"]["status"]
    change(spec, status)
    return list(losses(old, new, "KiroTask"))


@pytest.mark.parametrize(
    ("change", "loss"),
    [
        (lambda s, t: s["properties"].pop("files"), "spec.files: is gone"),
        (lambda s, t: t["properties"].pop("brief"), "status.brief: is gone"),
        (
            lambda s, t: t["properties"]["brief"].update(maxLength=9),
            "maxLength is narr",
        ),
        (lambda s, t: t["properties"]["attempt"].update(minimum=1), "minimum is narr"),
        (
            lambda s, t: t["properties"]["history"].update(maxItems=9),
            "maxItems is narr",
        ),
        (
            lambda s, t: t["properties"]["state"]["enum"].remove("Skipped"),
            "no longer all",
        ),
        (lambda s, t: s["required"].append("title"), "now required"),
        (
            lambda s, t: s["properties"]["maxAttempts"].update(default=4),
            "default was 3",
        ),
        (lambda s, t: s["properties"]["id"].update(pattern="^x$"), "pattern was"),
        (lambda s, t: s["properties"]["order"].update(type="string"), "type was"),
        (lambda s, t: s["properties"].update(new={"default": 1}), "has a default"),
        (
            lambda s, t: t["properties"]["cycles"]["items"]["properties"].pop("commit"),
            "cycles[].commit: is gone",
        ),
        (
            lambda s, t: s.update({"x-kubernetes-validations": [{"rule": "false"}]}),
            "a new rule: false",
        ),
    ],
)
def test_what_would_break_a_stored_object_is_seen(change: Any, loss: str) -> None:
    assert [loss in found for found in spoilt(change)] == [True]


def test_what_breaks_nothing_is_no_loss() -> None:
    def wider(spec: Any, status: Any) -> None:
        spec["properties"]["new"] = {"type": "string", "maxLength": 9}
        status["properties"]["brief"]["maxLength"] += 1
        status["properties"]["state"]["enum"].append("RolledBack")

    assert spoilt(wider) == []
