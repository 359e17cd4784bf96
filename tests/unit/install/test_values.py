"""The chart's values: all documented, all checked, nothing unknown accepted."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, Dict, Iterator, List, Tuple

import jsonschema
import pytest
import yaml

from kiro_swarm import __version__
from tests.unit.install.files import CHART, ROOT

SCHEMA: Dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
TEXT = (CHART / "values.yaml").read_text(encoding="utf-8")
VALUES: Dict[str, Any] = yaml.safe_load(TEXT)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def with_value(path: str, value: Any) -> Dict[str, Any]:
    """The default values with one changed or added."""
    values = copy.deepcopy(VALUES)
    *parents, last = path.split(".")
    inner = values
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return values


def paths(schema: Dict[str, Any], prefix: str = "") -> Iterator[Tuple[str, Any]]:
    """Every object of the schema that has named properties, with its path."""
    if "properties" in schema and schema.get("type") == "object":
        yield prefix, schema
        for name, inner in schema["properties"].items():
            yield from paths(inner, f"{prefix}.{name}" if prefix else name)
    if isinstance(schema.get("items"), dict):
        yield from paths(schema["items"], f"{prefix}[]")


def test_the_schema_is_a_schema_and_the_defaults_pass() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    VALIDATOR.validate(VALUES)


@pytest.mark.parametrize(("path", "schema"), list(paths(SCHEMA)))
def test_no_object_takes_unknown_keys(path: str, schema: Dict[str, Any]) -> None:
    assert schema["additionalProperties"] is False, path


def test_values_and_schema_name_the_same_fields() -> None:
    named = {
        path: set(schema["properties"])
        for path, schema in paths(SCHEMA)
        if path and "[]" not in path and path not in ("resources", "affinity")
    }
    assert named == {
        key: set(value)
        for key, value in VALUES.items()
        if isinstance(value, dict) and key in named
    }
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)


def test_every_value_has_a_comment_above_it() -> None:
    lines = TEXT.splitlines()
    undocumented: List[str] = []
    for number, line in enumerate(lines):
        field = re.match(r"( *)([a-zA-Z]+):", line)
        if not field or line.startswith("   "):
            continue
        above = lines[number - 1].strip()
        section = line.endswith(":") and not field[1]
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if not above.startswith("#") and not (section and below.startswith("#")):
            undocumented.append(field[2])
    # `resources` is one value: its comment is above the whole.
    assert [name for name in undocumented if name not in ("requests", "limits")] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("replica", 2),
        ("image.name", "kiro-swarm"),
        ("operator.schemes", ["https"]),
        ("image.repository", ""),
        ("image.repository", "kiro swarm"),
        ("image.repository", 'x"\n    command: [sh]'),
        ("image.tag", "a:b"),
        ("image.tag", "1.0\nprivileged: true"),
        ("image.pullPolicy", "Sometimes"),
        ("imagePullSecrets", ["my-registry"]),
        ("replicas", "2"),
        ("replicas", -1),
        ("fullnameOverride", "Upper_Case"),
        ("fullnameOverride", "x" * 60),
        ("operator.repositorySchemes", []),
        ("operator.repositorySchemes", ["ext"]),
        ("operator.repositorySchemes", "https,ssh"),
        ("operator.swarmNetworkPolicy", "yes"),
        ("operator.logLevel", "loud"),
        ("operator.port", 80),
        ("operator.workers", 0),
        ("serviceAccount.create", False),
        ("resources", {"cpu": "1"}),
        ("tolerations", [{"key": "a", "operator": "In"}]),
        ("nodeSelector", {"disk": 1}),
        ("affinity", {"nodeAfinity": {}}),
    ],
)
def test_a_wrong_value_is_refused(path: str, value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(with_value(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("image.repository", "registry.example.com:5000/team/kiro-swarm"),
        ("image.tag", "0.1.0@sha256:" + "0" * 64),
        ("replicas", 2),
        ("resources.limits", {"memory": "1Gi", "cpu": 2}),
        ("tolerations", [{"key": "agents", "operator": "Exists"}]),
        ("global", {"imageRegistry": "unused"}),
    ],
)
def test_a_usual_value_is_accepted(path: str, value: Any) -> None:
    VALIDATOR.validate(with_value(path, value))


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["appVersion"], chart["version"]) == (__version__, __version__)


def test_the_chart_carries_the_generated_crds() -> None:
    def contents(folder: Any) -> Dict[str, str]:
        return {path.name: path.read_text() for path in folder.glob("*")}

    assert contents(CHART / "crds") == contents(ROOT / "crds")
    assert len(contents(ROOT / "crds")) == 4
