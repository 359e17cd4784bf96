"""What goes with the volume and is nowhere else is pushed where nobody works."""

from __future__ import annotations

import pytest

from kiro_swarm.workspace.errors import InvalidRef, PushRejected
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.rescue import RESCUE_REFS, rescue
from tests.unit.workspace.repositories import INTEGRATION, Swarm, git, merged
from tests.unit.workspace.test_done import put_aside

UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
INTO = f"{RESCUE_REFS}/{UID}"


def saved(swarm: Swarm) -> list[str]:
    return rescue(swarm.mirror, swarm.top, swarm.url, INTEGRATION, UID)


def theirs(swarm: Swarm) -> dict[str, str]:
    """What the repository has now."""
    listed = git(swarm.upstream, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in listed.splitlines())


def test_merged_and_done_work_that_was_never_pushed_is_saved(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    waits = swarm.work({"b.py": "b\n"}, index=2, task="2")
    put_aside(swarm, waits)
    branches = theirs(swarm)
    names = saved(swarm)
    assert names == [f"{INTO}/integration", f"{INTO}/done/uid-2/1"]
    assert theirs(swarm) == {
        **branches,
        f"{INTO}/integration": swarm.head(),
        f"{INTO}/done/uid-2/1": waits.commit,
    }, "and no branch of it is touched"
    assert git(swarm.upstream, "show", f"{waits.commit}:b.py") == "b"
    assert saved(swarm) == names, "said twice, the same"


def test_what_the_repository_has_is_not_pushed_again(swarm: Swarm) -> None:
    assert saved(swarm) == [], "nothing was done yet"
    merged(swarm, swarm.work({"a.py": "a\n"}))
    push_integration(swarm.mirror, swarm.url, INTEGRATION)
    before = theirs(swarm)
    assert saved(swarm) == []
    assert theirs(swarm) == before
    merged(swarm, swarm.work({"b.py": "b\n"}, index=2, task="2"))
    assert saved(swarm) == [f"{INTO}/integration"], "it has moved on"


def test_a_repository_that_does_not_take_it_says_so(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    git(swarm.upstream, "config", "receive.hideRefs", "refs/kiro")
    with pytest.raises(PushRejected) as refused:
        saved(swarm)
    assert "hidden ref" in refused.value.message
    assert INTO in refused.value.message


def test_a_name_that_is_none_is_refused(swarm: Swarm) -> None:
    with pytest.raises(InvalidRef):
        rescue(swarm.mirror, swarm.top, swarm.url, INTEGRATION, "../heads/main")
