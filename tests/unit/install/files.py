"""The files of the chart and of manifests/, as the tests of this folder read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List

import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "helm" / "kiro-swarm"
BASE = ROOT / "manifests" / "base"
SAMPLES = ROOT / "manifests" / "samples"

Object = Any


def documents(path: Path) -> List[Object]:
    """Every document of a YAML file."""
    text = path.read_text(encoding="utf-8")
    return [item for item in yaml.safe_load_all(text) if item is not None]


def installed(kind: str, name: str = "kiro-swarm") -> Object:
    """The one object of ``manifests/base/operator.yaml`` with this kind and name."""
    (found,) = (
        item
        for item in documents(BASE / "operator.yaml")
        if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )
    return found
