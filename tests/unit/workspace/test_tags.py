"""Tags of the source are where git is asked for a version, and stand in nobody's way."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from kiro_swarm.workspace import tags
from kiro_swarm.workspace.done import drop_refs
from kiro_swarm.workspace.errors import BrokenRepository, RefNotFound
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.packed_refs import Entry, replace_below
from kiro_swarm.workspace.sync import Source, sync
from kiro_swarm.workspace.upkeep import Needed, Thresholds, tidy
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
    merged,
    write,
)


def tagged(swarm: Swarm) -> str:
    git(swarm.upstream, "tag", "light")
    git(swarm.upstream, "tag", "-a", "-m", "Release", "v1.2.3")
    git(swarm.upstream, "tag", "-a", "-m", "Of a tag", "v1.2.4-rc", "v1.2.3")
    newer = commit(swarm.upstream, {"b": "2"})
    swarm.prepare()
    return newer


def synced(swarm: Swarm) -> None:
    source = Source(swarm.url, "main", upstream=True)
    sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), "command-1")


def refs(swarm: Swarm) -> dict[str, str]:
    listed = git(swarm.mirror, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in listed.splitlines())


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


@pytest.mark.parametrize("annotated", [(), ("-a", "-m", "Anew")])
def test_a_tag_that_was_moved_is_right_in_later_cuts(
    swarm: Swarm, annotated: tuple[str, ...]
) -> None:
    tagged(swarm)
    first = Path(swarm.cut().tree)
    head = swarm.head()
    newer = commit(swarm.upstream, {"c": "3"})
    for name in ("light", "v1.2.3"):
        git(swarm.upstream, "tag", "-f", *annotated, name, newer)
    synced(swarm)
    later = Path(swarm.cut(2).tree)
    for name in ("light", "v1.2.3"):
        there = git(swarm.upstream, "rev-parse", name)
        assert git(later, "rev-parse", name) == there
        assert git(later, "rev-parse", f"{name}^{{commit}}") == newer
        assert git(first, "rev-parse", f"{name}^{{commit}}") != newer
    # How many git counts here depends on the second in which each commit was made.
    described = git(later, "describe", "--tags", "--match=v1.2.3")
    assert described.startswith("v1.2.3-")
    assert git(later, "rev-list", "--count", "v1.2.3..HEAD") == "1"
    assert git(swarm.mirror, "rev-parse", "HEAD^1") == head
    assert swarm.fsck(swarm.instance(2).repository) == ""


def test_a_tag_that_was_moved_out_of_the_history_brings_nothing(swarm: Swarm) -> None:
    tagged(swarm)
    git(swarm.upstream, "checkout", "--quiet", "--orphan", "other")
    other = commit(swarm.upstream, {"large": "x"})
    git(swarm.upstream, "tag", "-f", "light")
    git(swarm.upstream, "checkout", "--quiet", "main")
    swarm.prepare()
    assert git(swarm.mirror, "tag") == "v1.2.3\nv1.2.4-rc"
    assert git(swarm.mirror, "cat-file", "-t", other, check=False) == ""
    assert "light" not in git(Path(swarm.cut().tree), "tag").splitlines()


def test_tags_that_exclude_each_other_stop_nothing(swarm: Swarm) -> None:
    tagged(swarm)
    git(swarm.upstream, "tag", "-d", "light")
    git(swarm.upstream, "tag", "light/er")
    newer = commit(swarm.upstream, {"c": "3"})
    assert swarm.prepare().source == newer
    there = git(Path(swarm.cut().tree), "tag")
    assert there == "light/er\nv1.2.3\nv1.2.4-rc"


def test_tags_that_cannot_be_fetched_stop_nothing(swarm: Swarm) -> None:
    tagged(swarm)
    git(swarm.upstream, "tag", "-f", "light")
    tag = git(swarm.upstream, "rev-parse", "v1.2.3")
    loose = swarm.upstream / ".git" / "objects" / tag[:2] / tag[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"damaged")
    git(swarm.upstream, "update-ref", "-d", "refs/tags/v1.2.4-rc")
    newer = commit(swarm.upstream, {"c": "3"})
    assert swarm.prepare().source == newer
    swarm.cut()


def _drop(swarm: Swarm, moved: bool) -> None:
    """The source drops, or moves, an annotated tag; the mirror follows."""
    if moved:
        for name in ("v1.2.3", "v1.2.4-rc"):
            git(swarm.upstream, "tag", "-f", "-a", "-m", "Anew", name, "HEAD")
    else:
        git(swarm.upstream, "tag", "-d", "v1.2.3", "v1.2.4-rc")
    synced(swarm)


def _tidied(swarm: Swarm, *instances: int, later: int = 0) -> None:
    """All goes that may, at once; of what was dropped, what is so many seconds old."""
    there = {f"demo-{index}" for index in instances}
    soon = Thresholds(0, 0, 0, kept_seconds=-later, pause_seconds=0)
    needed = Needed({}, there, busy=there)
    tidy(swarm.top, swarm.mirror, INTEGRATION, needed, soon, pressed=True)
    git(swarm.mirror, "prune", "--expire=now")


def _is_whole(swarm: Swarm, index: int) -> bool:
    """Whether git reads all that a repository's refs lead to."""
    tree = swarm.instance(index).tree
    broken = git(tree, "fsck", "--no-dangling").splitlines()
    return not broken and git(tree, "describe", "--match=v1.2.3").startswith("v1.2.3")


@pytest.mark.parametrize("moved", [True, False])
def test_what_was_cut_before_a_tag_was_dropped_is_whole_until_it_is_cut_anew(
    swarm: Swarm, moved: bool
) -> None:
    tagged(swarm)
    was = git(swarm.mirror, "rev-parse", "v1.2.3")
    swarm.cut(1)
    _drop(swarm, moved)
    swarm.cut(2)
    _tidied(swarm, 1, 2, later=7200)
    assert _is_whole(swarm, 1)
    git(swarm.instance(1).tree, "gc", "--prune=now", "--quiet")
    assert _is_whole(swarm, 1)
    # The first is cut anew, when the clock of no volume can be in doubt any more.
    swarm.cut(1)
    for dropped in dropped_refs(swarm):
        oid = dropped.rsplit("/", 1)[-1]
        git(swarm.mirror, "update-ref", f"refs/kiro/dropped/1/{oid}", oid)
        git(swarm.mirror, "update-ref", "-d", dropped)
    _tidied(swarm, 1, 2)
    assert dropped_refs(swarm) == []
    assert git(swarm.mirror, "cat-file", "-t", was, check=False) == ""
    assert "v1.2.3" not in git(swarm.instance(1).tree, "tag").split() or moved


def dropped_refs(swarm: Swarm) -> list[str]:
    listed = git(swarm.mirror, "for-each-ref", "--format=%(refname)", tags.DROPPED)
    return listed.splitlines()


def test_an_instance_that_nobody_wants_keeps_no_tag(swarm: Swarm) -> None:
    tagged(swarm)
    swarm.cut(1)
    _drop(swarm, moved=False)
    _tidied(swarm, 2, later=7200)
    assert dropped_refs(swarm) == []


def test_a_day_is_over_before_anything_goes(swarm: Swarm) -> None:
    tagged(swarm)
    _drop(swarm, moved=False)
    soon = Thresholds(pause_seconds=0)
    tidy(swarm.top, swarm.mirror, INTEGRATION, Needed({}, ()), soon, pressed=True)
    assert len(dropped_refs(swarm)) == 2


def test_a_source_that_drops_thousands_has_the_oldest_go(swarm: Swarm) -> None:
    head = swarm.head()
    dropped: dict[bytes, Entry] = {
        f"{tags.DROPPED}/{second}/{head}".encode(): (head.encode(), None)
        for second in range(1, tags.MOST + 4)
    }
    replace_below(swarm.mirror, tags.DROPPED, dropped, {})
    drop_refs(swarm.mirror, tags.dropped_before(Git(swarm.mirror), before=0))
    left = dropped_refs(swarm)
    assert len(left) == tags.MOST
    assert f"{tags.DROPPED}/3/{head}" not in left


def test_a_tag_whose_object_is_gone_is_dropped_all_the_same(swarm: Swarm) -> None:
    tagged(swarm)
    oid = swarm.head()
    (swarm.mirror / "refs" / "tags").mkdir(parents=True, exist_ok=True)
    gone = "1" * len(oid)
    (swarm.mirror / "refs" / "tags" / "broken").write_text(f"{gone}\n")
    for name in ("light", "v1.2.3", "v1.2.4-rc"):
        git(swarm.upstream, "tag", "-d", name)
    swarm.prepare()
    assert git(swarm.mirror, "tag") == ""
    assert not any(gone in name for name in dropped_refs(swarm))


def test_no_name_of_the_source_moves_a_ref_of_ours(swarm: Swarm) -> None:
    """Whatever it calls its branches, tags and other refs, ours are where they were."""
    merged(swarm, swarm.work({"a": "1"}))
    ours = {"refs/kiro/start", "refs/kiro/pushed", "refs/kiro/done/uid-1-1/1"}
    git(swarm.mirror, "update-ref", "refs/kiro/done/uid-1-1/1", swarm.head())
    before = refs(swarm)
    strange = commit(swarm.upstream, {"b": "2"})
    for name in (*ours, *before):
        for prefix in ("", "refs/heads/", "refs/tags/"):
            git(swarm.upstream, "update-ref", f"{prefix}{name}", strange, check=False)
    git(swarm.upstream, "update-ref", "refs/tags/v9", strange)
    swarm.prepare()
    after = refs(swarm)
    tags_ = {name for name in after if name.startswith("refs/tags/")}
    assert "refs/tags/v9" in tags_
    # Its own branch of that name is what `refs/kiro/remote` is for.
    assert after.keys() - tags_ - before.keys() <= {"refs/kiro/remote"}
    moved = {name for name in before if after[name] != before[name]}
    assert moved == {"refs/kiro/source"}


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


def _packed(repository: Path, names: Iterable[str], oid: str) -> None:
    """Write tags as git packs them: to write thousands one by one takes minutes."""
    refs_: dict[bytes, Entry] = {
        f"refs/tags/{name}".encode(): (oid.encode(), None) for name in names
    }
    git(repository, "pack-refs", "--all")
    replace_below(repository, "refs/tags/", refs_, {})


def test_of_more_tags_than_are_carried_the_highest_versions_are(swarm: Swarm) -> None:
    count, source = tags.MOST + 20, swarm.upstream / ".git"
    older = git(swarm.upstream, "rev-parse", "HEAD")
    _packed(source, [f"v1.{number}" for number in range(count)], older)
    git(swarm.upstream, "tag", "-a", "-m", "Release", "v2")
    said = swarm.prepare().remark
    assert said.startswith(
        f"21 tags of the repository are left out, for at most {tags.MOST}"
    )
    assert said.endswith(": v1.20, v1.19, v1.18 and 18 more")
    there = git(Path(swarm.cut().tree), "tag").splitlines()
    assert len(there) == tags.MOST
    assert {"v2", f"v1.{count - 1}", "v1.21"} <= set(there)
    assert "v1.20" not in there
    # All are moved: the mirror follows, and what they were is kept, once.
    newer = commit(swarm.upstream, {"b": "2"})
    _packed(source, [f"v1.{number}" for number in range(count)], newer)
    swarm.prepare()
    described = git(swarm.mirror, "rev-parse", f"v1.{count - 1}", "v1.20", check=False)
    assert described.splitlines()[0] == newer
    assert len(dropped_refs(swarm)) == 2
    assert swarm.head() == newer
    assert not (swarm.mirror / "refs" / "tags").exists()
    assert swarm.fsck(swarm.mirror) == ""


#: Names that a source may send, and whether each can be a tag of the mirror.
USABLE = {
    **dict.fromkeys(("v1", "a/b", "\u2028", "\udce9", "x" * 250, '"', "HEAD"), True),
    **dict.fromkeys(
        ("a b", "a\x7f", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\"), False
    ),
    **dict.fromkeys(
        ("a..b", "a@{1}", "a//b", ".a", "a/.b", "a.", "a/", "a.lock"), False
    ),
    **dict.fromkeys(("a.lock/b", "../../heads/main", "", "a\x00b", "a\tb"), False),
    **dict.fromkeys(("x" * 251, "/".join(["x" * 200] * 6)), False),
}


@pytest.mark.parametrize("name", USABLE)
def test_a_name_is_usable_where_git_and_a_volume_take_it(name: str) -> None:
    full = f"refs/tags/{name}"
    assert tags.is_usable(full) is USABLE[name]
    if USABLE[name]:
        git(Path(), "check-ref-format", full)


def test_a_tag_that_fits_into_no_file_is_named_and_hinders_no_other(
    swarm: Swarm,
) -> None:
    oid = git(swarm.upstream, "rev-parse", "HEAD")
    _packed(swarm.upstream / ".git", ["v1", "x" * 255, "y/" + "z" * 251], oid)
    said = swarm.prepare().remark
    assert git(swarm.mirror, "tag") == "v1"
    assert said.startswith("tags with a name that cannot be written: xxx")
    assert len(said) < 300


def test_where_packed_refs_cannot_be_read_nothing_is_written(swarm: Swarm) -> None:
    git(swarm.mirror, "pack-refs", "--all")
    place = swarm.mirror / "packed-refs"
    whole = place.read_bytes()
    broken = (
        *(whole.replace(b" fully-peeled", b""), whole[:-1], whole + b"1234\n"),
        *(whole + b"^1234\n^1234\n", whole + b"1" * 40 + b" x\n"),
    )
    for text in broken:
        place.write_bytes(text)
        with pytest.raises(BrokenRepository):
            replace_below(swarm.mirror, "refs/tags/", {}, {})
        assert place.read_bytes() == text
    place.write_bytes(whole)
    replace_below(swarm.mirror, "refs/tags/", {}, {})
    assert place.read_bytes() == whole


#: Names that git takes and that are more than one line, or no text, to somebody.
STRANGE = [
    *("v1\u2028x", "v1\u2029x", "v1\x85", "\x85", "v\u200bx", "v\ufeff"),
    *("v1-\udce9t\udce9", "\udcff\udcfe", "x" * 200, '"q"', "-v", "{a}", "\U0001f980"),
]


def test_a_tag_of_any_name_is_one_tag(swarm: Swarm) -> None:
    for name in STRANGE:
        git(swarm.upstream, "update-ref", f"refs/tags/{name}", "HEAD")
    wanted = (swarm.upstream / ".git" / "refs" / "tags").iterdir()
    names = {os.fsencode(path.name) for path in wanted}
    assert len(names) == len(STRANGE)
    for _ in range(2):
        swarm.prepare()
    first = Path(swarm.cut().tree)
    newer = commit(swarm.upstream, {"b": "2"})
    for name in STRANGE:
        git(swarm.upstream, "update-ref", f"refs/tags/{name}", "HEAD")
    assert swarm.prepare().source == newer
    second = Path(swarm.cut(2).tree)
    for tree, oid in ((first, git(first, "rev-parse", "HEAD")), (second, newer)):
        packed = (tree.parent / "repo.git" / "packed-refs").read_bytes()
        refs_ = dict(line.split(b" ")[::-1] for line in packed.split(b"\n")[1:-1])
        assert set(refs_) == {b"refs/tags/" + name for name in names}
        assert set(refs_.values()) == {oid.encode()}
        assert git(tree, "rev-parse", "refs/tags/\U0001f980") == oid
        # git looks for a name in what it believes to be sorted.
        assert git(tree, "rev-parse", f"refs/tags/{STRANGE[6]}") == oid


def test_branches_of_any_name_are_told(swarm: Swarm) -> None:
    for name in STRANGE[:8]:
        git(swarm.upstream, "update-ref", f"refs/heads/a{name}", "HEAD")
    with pytest.raises(RefNotFound) as refused:
        swarm.prepare("nowhere")
    refused.value.message.encode("utf-8")
