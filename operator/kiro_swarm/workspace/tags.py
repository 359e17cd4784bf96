"""The tags of the source, for whoever asks git for a version (``git describe``).

Role: mirror.py fetches them, a cut and a checkout for gates copy them.

Guarantees: a tag is a convenience: without one, or with a damaged one, everything else goes
on as before. Those are here that lead to something in the mirror, as git itself follows tags.
A tag that the source moved or dropped is so for whatever is cut after the next fetch; for what
was cut before, its object stays (``DROPPED``). By a name of the source no ref but a tag is ever
written. None of them is pushed. At most ``MOST`` are carried, those with the highest versions in
their names, and what is left out is named. However many there are, git is started a few times
and one file is written.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.disk import write_plain
from kiro_swarm.workspace.errors import RemoteError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.packed_refs import Entry, replace_below, text_of
from kiro_swarm.workspace.refs import is_object_id
from kiro_swarm.workspace.remote import Remote

log = logging.getLogger(__name__)

MOST = 5000
#: Below it what a tag was, by the second in which it was dropped: worktrees have it still.
DROPPED = "refs/kiro/dropped"
_TAGS = "refs/tags/"
_FORMAT = "%(refname)%00%(objectname)%00%(*objectname)"
#: A name is to fit into a path, and a part of it into a file's name with ``.lock``.
_LONGEST_NAME = 1000
_LONGEST_PART = 250
_SHOWN = 3
#: What git takes in no ref.
_NEVER = re.compile(rb"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[./]$")


def follow_tags(git: Git, remote: Remote) -> str:
    """Bring the mirror's tags to what the source has; a remark on those that are left out.

    The caller is sole owner of the mirror, and what the tags are of is here.
    """
    there = remote.tags(git)
    here = _here(git)
    if not there and not here:
        return ""
    tags = [name for name in there if name.startswith(_TAGS)]
    fit = sorted(filter(is_usable, tags), key=_version, reverse=True)
    leads_here = _readable(git, {there[name][1] for name in fit})
    followed = [name for name in fit if there[name][1] in leads_here]
    wanted = {name: there[name][0] for name in followed[:MOST]}
    _fetch(git, remote, list(wanted.values()))
    refs = _entries(git, wanted)
    if here != {
        os.fsdecode(name): oid.decode("ascii") for name, (oid, _) in refs.items()
    }:
        _write(git, here, refs)
    odd = [name for name in tags if not is_usable(name)]
    return _remark(remote, odd, followed[MOST:])


def drop_broken(git: Git) -> bool:
    """Drop tags that lead to nothing, if there are any. The caller is sole owner."""
    here = _here(git)
    whole = _entries(git, here)
    if len(whole) == len(here):
        return False
    replace_below(git.git_dir, _TAGS, whole, {})
    return True


def _here(git: Git) -> dict[str, str]:
    """Full name of each tag of the mirror -> what it is."""
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", _TAGS)
    return {name: oid for oid, name in (line.split(" ", 1) for line in listed.lines)}


def is_usable(name: str) -> bool:
    """Whether a ref of that name, as the source says it, can be written by anybody."""
    data = os.fsencode(name)
    longest = max(map(len, data.split(b"/")))
    fits = len(data) <= _LONGEST_NAME and longest <= _LONGEST_PART
    return fits and _NEVER.search(data) is None


def _version(name: str) -> list[tuple[str, int]]:
    """Sorts names by the numbers in them."""
    parts: list[tuple[str, str]] = re.findall(r"([^0-9]*)([0-9]*)", name)
    return [(text, int(number or -1)) for text, number in parts]


def _fetch(git: Git, remote: Remote, oids: Sequence[str]) -> None:
    """Bring the tag objects that are not here; what they are of is."""
    missing = sorted(set(oids) - _readable(git, oids))
    if missing:
        try:
            remote.fetch(git, missing)
        except RemoteError as error:
            log.warning("not all tags are fetched: %s", error)


def _entries(git: Git, wanted: Mapping[str, str]) -> dict[bytes, Entry]:
    """Those of the refs that lead to what is here to its end, by what git says of it."""
    asked = "".join(f"{oid}^{{}}\n" for oid in wanted.values()).encode("ascii")
    listed = git.run("cat-file", "--batch-check=%(objectname)", stdin=asked).lines
    found: dict[bytes, Entry] = {}
    for (name, oid), peeled in zip(wanted.items(), listed):
        if is_object_id(peeled):
            inner = peeled.encode("ascii") if peeled != oid else None
            found[os.fsencode(name)] = (oid.encode("ascii"), inner)
    return found


def _write(git: Git, here: Mapping[str, str], refs: Mapping[bytes, Entry]) -> None:
    gone = {
        oid
        for name, oid in here.items()
        if refs.get(os.fsencode(name), (b"",))[0] != oid.encode("ascii")
    }
    second = int(time.time())
    stay = {f"{DROPPED}/{second}/{oid}": oid for oid in _readable(git, gone)}
    replace_below(git.git_dir, _TAGS, refs, _entries(git, stay))


def _remark(remote: Remote, odd: Sequence[str], beyond: Sequence[str]) -> str:
    said = []
    if beyond:
        said.append(
            f"{len(beyond)} tags of the repository are left out, for at most {MOST} are"
            f" carried, the highest versions first: {_some(remote, beyond)}"
        )
    if odd:
        said.append(f"tags with a name that cannot be written: {_some(remote, odd)}")
    return "; ".join(said)


def _some(remote: Remote, names: Sequence[str]) -> str:
    told = (remote.told(name[len(_TAGS) :]) for name in names[:_SHOWN])
    shown = ", ".join(map(shown_name, told))
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _readable(git: Git, oids: Collection[str]) -> set[str]:
    """Those that are here: no ref can be made of another one."""
    if not oids:
        return set()
    asked = "".join(f"{oid}\n" for oid in sorted(oids)).encode("ascii")
    told = git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
    words = (line.split(" ") for line in told.lines)
    return {oid for oid, kind, *_ in words if kind != "missing"}


def dropped_before(git: Git, before: float) -> list[tuple[str, str]]:
    """Refs of what was dropped before that second, and of the oldest beyond ``MOST``.

    With what they are. Whoever lets go of them knows that nothing was cut earlier which is in use.
    """
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", DROPPED)
    dropped: list[tuple[int, str, str]] = []
    for line in listed.lines:
        oid, ref = line.split(" ", 1)
        second = ref[len(DROPPED) + 1 :].partition("/")[0]
        if second.isdigit():
            dropped.append((int(second), ref, oid))
    dropped.sort(reverse=True)
    young = sum(second >= before for second, _, _ in dropped)
    return [(ref, oid) for _, ref, oid in dropped[min(young, MOST) :]]


def copy_tags(mirror: Path, repository: Path) -> None:
    """Give a repository that borrows from the mirror its tags; it has no packed refs yet."""
    try:
        found = _newest(Git(mirror))
        if found:
            write_plain(repository / "packed-refs", os.fsdecode(text_of(found)))
    except Exception:  # whatever it is, it is about a convenience
        log.warning("no tags are copied", exc_info=True)


def _newest(git: Git) -> dict[bytes, Entry]:
    """As many of the tags of the mirror, all in bytes: a name is any but a few."""
    listed = git.run(
        *("for-each-ref", "--sort=-version:refname", f"--count={MOST}"),
        *(f"--format={_FORMAT}", _TAGS),
        ok=(0, 1, 128),
    ).stdout
    lines: Iterable[list[bytes]] = (x.split(b"\0") for x in listed.split(b"\n") if x)
    return {name: (oid, peeled or None) for name, oid, peeled in lines}
