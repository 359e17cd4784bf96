"""What kopf is told, so that it keeps out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import kopf

from kiro_swarm.handlers.settings import NoDiffs, NoProgress, configure


def test_kopf_is_told_to_keep_out() -> None:
    settings = kopf.OperatorSettings()
    configure(settings)
    assert settings.posting.enabled is False
    assert settings.peering.standalone is True
    assert settings.scanning.disabled is True
    assert settings.persistence.finalizer.startswith("swarm.kiro.dev/")
    assert isinstance(settings.persistence.diffbase_storage, NoDiffs)
    assert isinstance(settings.persistence.progress_storage, NoProgress)
    watching = settings.watching
    assert (watching.server_timeout, watching.client_timeout) == (300, 310)


def test_kopf_lists_before_it_watches_whatever_is_its_default() -> None:
    settings: Any = kopf.OperatorSettings()
    if hasattr(settings.watching, "initial_streaming"):
        settings.watching.initial_streaming = True
    configure(settings)
    assert not getattr(settings.watching, "initial_streaming", False)


def test_nothing_is_copied_to_find_out_what_changed() -> None:
    nothing, body = NoDiffs(), {"spec": 1}
    assert nothing.build(body=body) == {}
    assert nothing.fetch(body=body) is None
    nothing.store(body=body, patch={}, essence={})
    assert NoProgress(prefix="x").clear(essence=body) is body


def test_a_request_is_tried_again_for_as_long_as_the_api_server_is_away() -> None:
    settings = kopf.OperatorSettings()
    configure(settings)
    delays = settings.networking.error_backoffs
    assert isinstance(delays, Iterable)
    for _ in range(2):
        first = list(islice(delays, 1000))
        assert first[:6] == [0.2, 0.5, 1, 2, 4, 8], "each request begins anew"
        assert set(first[6:]) == {8}
        assert len(first) == 1000
