"""Tags of the source are where git is asked for a version, and stand in nobody's way."""

from __future__ import annotations

from pathlib import Path

from kiro_swarm.workspace import tags
from tests.unit.workspace.repositories import Swarm, commit, git, merged, write


def tagged(swarm: Swarm) -> str:
    git(swarm.upstream, "tag", "light")
    git(swarm.upstream, "tag", "-a", "-m", "Release", "v1.2.3")
    git(swarm.upstream, "tag", "-a", "-m", "Of a tag", "v1.2.4-rc", "v1.2.3")
    newer = commit(swarm.upstream, {"b": "2"})
    swarm.prepare()
    return newer


def test_a_worktree_knows_its_version(swarm: Swarm) -> None:
    newer = tagged(swarm)
    tree = Path(swarm.cut().tree)
    assert git(tree, "describe", "--match=v1.2.3") == f"v1.2.3-1-g{newer[:7]}"
    assert git(tree, "tag") == "light\nv1.2.3\nv1.2.4-rc"
    assert git(tree, "rev-parse", "v1.2.4-rc^{commit}") == git(
        swarm.upstream, "rev-parse", "HEAD~"
    )
    assert swarm.fsck(swarm.instance().repository) == ""


def test_after_merges_it_still_does(swarm: Swarm) -> None:
    tagged(swarm)
    merged(swarm, swarm.work({"a": "1"}))
    described = git(Path(swarm.cut(task="1.2").tree), "describe", "--match=v1.2.3")
    assert described.startswith("v1.2.3-3-g")


def test_a_tag_that_appears_later_is_fetched(swarm: Swarm) -> None:
    tagged(swarm)
    git(swarm.upstream, "tag", "later")
    swarm.prepare()
    assert "later" in git(swarm.mirror, "tag").splitlines()


def test_tags_that_exclude_each_other_stop_nothing(swarm: Swarm) -> None:
    tagged(swarm)
    git(swarm.upstream, "tag", "-d", "light")
    git(swarm.upstream, "tag", "light/er")
    newer = commit(swarm.upstream, {"c": "3"})
    assert swarm.prepare().source == newer
    swarm.cut()


def test_strange_tags_stand_in_nobody_s_way(swarm: Swarm) -> None:
    for name in (
        "HEAD",
        "main",
        "swarm/demo/1.1/1",
        "swarm/demo/integration",
        "a$(id)",
    ):
        git(swarm.upstream, "update-ref", f"refs/tags/{name}", "HEAD")
    git(swarm.upstream, "update-ref", f"refs/tags/{'a' * 40}", "HEAD")
    head = tagged(swarm)
    outcome = merged(swarm, swarm.work({"a": "1"}))
    assert outcome.before == head
    made = swarm.cut(task="1.2")
    write(Path(made.tree), {"c": "1"})
    done = swarm.gather(made, task="1.2")
    assert (done.reason, done.files, done.warning) == ("Done", ["c"], "")


def test_there_may_be_more_tags_than_are_copied(swarm: Swarm) -> None:
    git(swarm.mirror, "pack-refs", "--all")
    head, packed = swarm.head(), swarm.mirror / "packed-refs"
    names = sorted(f"refs/tags/v1.{number}" for number in range(tags.MOST + 20))
    packed.write_text(
        packed.read_text() + "".join(f"{head} {name}\n" for name in names)
    )
    there = git(Path(swarm.cut().tree), "tag").splitlines()
    assert len(there) == tags.MOST
    assert f"v1.{tags.MOST + 19}" in there
