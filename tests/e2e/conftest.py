"""The operator installed once a run; a namespace of its own for every test."""

from __future__ import annotations

import re
from typing import Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.swarm import Place, install, place_named


@pytest.fixture(autouse=True, scope="session")
def _built(programs: None) -> None:
    """Before the first test, whatever it uses of it."""


@pytest.fixture(scope="session")
def installed(cluster: Cluster) -> Cluster:
    """A cluster with the image loaded and the chart installed."""
    install(cluster)
    return cluster


@pytest.fixture
def place(installed: Cluster, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A namespace of this test; gone afterwards."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    with place_named(installed, name) as place:
        yield place
