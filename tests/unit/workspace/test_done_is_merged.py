"""What is Done is what the train merges: for strange but legal commits, too.

The agent's commits are written object by object. Evidence and the runner's proof say Done or
why not; whatever is Done must be merged as it is.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.messages import carries, message_of, signed
from kiro_swarm.workspace.outcomes import Candidate, Merged
from kiro_swarm.workspace.staging import make_readable
from tests.support.sizes import sized
from tests.unit.workspace.hostile import put
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Swarm,
    commit,
    git,
    train,
    write,
)

TRAILER = "uid-1-1/1"
LINES = [
    *(b"Fix it", b"", b"---", b"--- a/x", b"# a comment", b" indented", b"\tx"),
    *(b"Signed-off-by: A <a@b>", b"Co-authored-by: x", b"Swarm-Task:", b"x: y"),
    *(b"Swarm-Task: other/1", b"Swarm-Task: uid-1-1/12", b"swarm-task: uid-1-1/1"),
    *(b"Swarm-Task: uid-1-1/1", b"Swarm-Task: uid-1-1/1\r", b"Swarm-Task:\n uid-1-1/1"),
    *(b"diff --git a/x b/x", b"(cherry picked from commit 1)", b"\xff\xfe\x41"),
    *(
        b"# ------------------------ >8 ------------------------",
        b"caf\xe9",
        b"\x1b[31m",
    ),
    *("ü€".encode(), "x".encode("utf-16"), b"Scope: x\n folded\n more", b"a" * 3000),
]
MESSAGES = st.lists(st.sampled_from(LINES), max_size=6).flatmap(
    lambda lines: st.sampled_from(
        [b"\n".join(lines), b"\n".join(lines) + b"\n", b"\r\n".join(lines) + b"\r\n"]
    )
)
HEADERS = st.sampled_from(
    [
        *(b"", b"encoding ISO-8859-1\n", b"encoding UTF-16\n", b"encoding none-such\n"),
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n",
        *(b"mergetag object 1\n type commit\n", b"HG:extra x\n"),
    ]
)
PEOPLE = st.sampled_from(
    [
        *(b"A <a@b> 1 +0000", b"A <a@b> 99999999999 -1200", b" <> 1 +0000"),
        *(b"A <a@b> 1 +9999", "Ä <ä@b> 1 +0530".encode(), b"A B <a b> 0 +0000"),
        *(b"A <a@b> 1", b"A a@b 1 +0000", b"A <a<@b> 1 +0000", b"A <a@b> -1 +0000"),
    ]
)
ENTRIES = st.dictionaries(
    st.sampled_from(
        [
            *(b"a", b"b c", b"-x", b"caf\xe9", b"new\nline", b"z" * 255, b"z" * 256),
            *(b"git~1", b".git", b"..", b"a\\b", b"con", b".gitmodules", b"\x01"),
        ]
    ),
    st.sampled_from([b"100644", b"100755", b"100664", b"120000", b"160000", b"40000"]),
    max_size=3,
)
PARENTS = st.sampled_from(["base", "base", "base", "merge", "octopus", "twice"])


@pytest.mark.timeout(sized(120, 3600))
@settings(
    max_examples=sized(12, 600),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(MESSAGES, HEADERS, PEOPLE, PEOPLE, ENTRIES, PARENTS, st.booleans())
def test_whatever_is_done_is_merged(
    prepared: Path,
    message: bytes,
    header: bytes,
    author: bytes,
    committer: bytes,
    entries: dict[bytes, bytes],
    parents: str,
    leftover: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder) / "swarm"
        shutil.copytree(prepared, top)
        swarm = Swarm(top)
        made = swarm.cut()
        work = swarm.candidate(made, made.base)
        tree = _tree(swarm, work, entries)
        lines = _parents(work, tree, parents)
        text = b"tree %b\n%bauthor %b\ncommitter %b\n%b\n%b" % (
            *(tree.encode(), lines, author, committer, header, message),
        )
        oid = put(work, "commit", text)
        repository = swarm.instance().repository
        git(repository, "update-ref", f"refs/heads/{made.branch}", oid, check=False)
        git(Path(made.tree), "reset", "-q", "--hard", check=False)
        if leftover:
            write(Path(made.tree), {"left": "x"})
        found = swarm.gather(made)
        if found.commit is None:
            assert found.message
            return
        work = swarm.candidate(made, found.commit)
        assert carries(Git(repository), found.commit, TRAILER)
        refused = ""
        try:
            keep(
                *(swarm.shelf(), work.uid, work.attempt, swarm.instance().folder),
                *(swarm.mirror, INTEGRATION, found.commit, made.base),
            )
        except ObjectsRefused as refusal:
            refused = refusal.reason
        if refused:
            assert refused in ("BadObjects", "UnusablePath")
            return
        outcome = train(swarm).merge(work)
        assert isinstance(outcome, Merged), outcome
        assert swarm.fsck(swarm.mirror) == ""


def _tree(swarm: Swarm, work: Candidate, entries: dict[bytes, bytes]) -> str:
    """The base's tree with these entries."""
    blob = put(work, "blob", b"x\n")
    empty = put(work, "tree", b"")
    listed = git(swarm.mirror, "ls-tree", work.base).splitlines()
    made = {}
    for line in listed:
        facts, name = line.split("\t")
        mode, _, oid = facts.split(" ")
        made[name.encode()] = (mode.lstrip("0").encode(), oid)
    ids = {b"160000": work.base, b"40000": empty}
    for path, kind in entries.items():
        made[path] = (kind, ids.get(kind, blob))
    ordered = sorted(
        made.items(), key=lambda e: e[0] + (b"/" if e[1][0] == b"40000" else b"")
    )
    return put(
        work,
        "tree",
        b"".join(
            b"%b %b\0%b" % (mode, name, bytes.fromhex(oid))
            for name, (mode, oid) in ordered
        ),
    )


def _parents(work: Candidate, tree: str, kind: str) -> bytes:
    base, others = work.base, list[str]()
    for number in range({"merge": 1, "octopus": 3}.get(kind, 0)):
        text = f"tree {tree}\nparent {base}\nauthor A <a@b> {number} +0000\n"
        text += f"committer A <a@b> {number} +0000\n\nside\n"
        others.append(put(work, "commit", text.encode()))
    ids = [base, base] if kind == "twice" else [base, *others]
    return b"".join(b"parent %b\n" % oid.encode() for oid in ids)


@settings(max_examples=sized(300, 20_000), deadline=None)
@given(MESSAGES, HEADERS)
def test_a_commit_is_signed_and_otherwise_the_same(
    message: bytes, header: bytes
) -> None:
    head = b"tree 1\nparent 2\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000"
    kept = header if not header.startswith(b"gpgsig") else b""
    made = signed(b"%b\n%b\n%b" % (head, header, message), TRAILER)
    assert made.startswith(b"%b\n%b\n" % (head, kept))
    assert message_of(made).endswith(f"Swarm-Task: {TRAILER}\n".encode())
    assert message.rstrip(b"\n") in message_of(made)


@pytest.mark.parametrize(
    "message",
    [
        "Subject\n\n---\nnot a trailer",
        "Subject\n\n# only a comment",
        "",
        "Swarm-Task: uid-1-1/1 said in a sentence",
        "Subject\n\nSigned-off-by: A <a@b>\n\n---\n\nSwarm-Task: other/3",
    ],
)
def test_a_message_of_any_shape_is_done_and_merged(swarm: Swarm, message: str) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"a": "1"})
    git(Path(made.tree), "add", "a")
    git(
        Path(made.tree),
        *("commit", "-q", "--cleanup=verbatim", "--allow-empty-message", "-m", message),
    )
    done = swarm.gather(made)
    assert done.reason == "Done"
    assert swarm.gather(made) == done, "made once"
    outcome = train(swarm).merge(swarm.candidate(made, done.commit))
    assert isinstance(outcome, Merged), outcome


def test_a_repository_without_a_commit_is_named_with_what_helps(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"web/package.json": "{}", "app.py": "done\n"})
    git(Path(made.tree, "web"), "init", "-q")
    found = swarm.gather(made)
    assert found.reason == "NestedRepository"
    assert "'web/'" in found.message
    shutil.rmtree(Path(made.tree, "web/.git"))
    assert swarm.gather(made).files == ["app.py", "web/package.json"]


def test_what_is_no_file_keeps_nothing_from_being_taken(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"app.py": "done\n"})
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        place = os.open(tree, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{place}/socket")
        os.close(place)
    assert swarm.gather(made).files == ["app.py"]


def test_what_its_owner_may_not_read_is_made_readable(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/c": "x", "d": "x"})
    os.symlink("/etc/passwd", tmp_path / "link")
    before = stat.S_IMODE(os.stat("/etc/passwd").st_mode)
    for name, mode in (("a/b/c", 0o000), ("a/b", 0o000), ("a", 0o444), ("d", 0o111)):
        os.chmod(tmp_path / name, mode)
    make_readable(tmp_path)
    modes = {
        name: stat.S_IMODE(os.stat(tmp_path / name).st_mode)
        for name in ("a", "a/b", "a/b/c", "d")
    }
    assert modes == {"a": 0o744, "a/b": 0o700, "a/b/c": 0o400, "d": 0o511}
    assert stat.S_IMODE(os.stat("/etc/passwd").st_mode) == before


def test_an_agent_s_own_merge_is_merged(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "checkout", "-q", "-b", "side")
    commit(tree, {"side": "1"})
    git(tree, "checkout", "-q", made.branch)
    commit(tree, {"own": "1"})
    git(tree, "merge", "-q", "--no-ff", "-m", "Both\n\n---\nx", "side")
    done = swarm.gather(made)
    assert isinstance(train(swarm).merge(swarm.candidate(made, done.commit)), Merged)
