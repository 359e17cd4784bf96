"""A line of attributes that does not fit a file ends nobody's task but that of whoever touches it.

Two tasks side by side make it: one adds the file, the other the line. Both are fine by themselves.
"""

from __future__ import annotations

from pathlib import Path

from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.instance import Cut
from tests.unit.workspace.repositories import Swarm, git, merged, write

#: What does not fit; what of it git can add nevertheless is here as well.
LINES = {
    "working-tree-encoding=bogus": b"x\n",
    "working-tree-encoding=UTF-16": b"x\n",
    "working-tree-encoding=UTF-16LE-BOM": b"x\n",
    "working-tree-encoding=UTF-16LE": "\ufeffx\n".encode(),
    "working-tree-encoding=UTF-32BE": "\ufeffx\n".encode(),
    "working-tree-encoding=ISO-2022-JP": "\xe4\n".encode(),
    "text eol=crlf": b"a\r\nb\nc\r\n",
    "text": b"a\r\nb\0c\r\n",
    "ident": b"$Id: x$ $Id$\n",
    "filter=lfs diff=lfs merge=lfs -text": b"x\n",
}
BOGUS = "working-tree-encoding=bogus"
NAMES = [f"{letter}.zig" for letter in "abcdefghij"]


def begun(swarm: Swarm, lines: dict[str, bytes]) -> Cut:
    """A worktree on a branch that has files from one task, and their lines from another."""
    swarm.prepare()
    one, other = swarm.cut(), swarm.cut(2, "1.2")
    for name, content in zip(NAMES, lines.values()):
        Path(one.tree, name).write_bytes(content)
    said = [f"{name} {line}\n" for name, line in zip(NAMES, lines)]
    write(Path(other.tree), {".gitattributes": "".join(said)})
    first, second = swarm.gather(one), swarm.gather(other, 2, "1.2")
    merged(swarm, swarm.candidate(one, first.commit))
    merged(swarm, swarm.candidate(other, second.commit, 2, "1.2"))
    return swarm.cut(3, "2")


def test_who_touched_none_of_the_files_is_done(swarm: Swarm) -> None:
    made = begun(swarm, LINES)
    assert swarm.gather(made, 3, "2").reason == "NoChanges"
    write(Path(made.tree), {"new.py": "w\n", "app.py": "changed\n"})
    done = swarm.gather(made, 3, "2")
    assert (done.reason, done.files) == ("Done", ["app.py", "new.py"])
    merged(swarm, swarm.candidate(made, done.commit, 3, "2"))
    gate = swarm.top / "gate"
    checkout_tree(swarm.mirror, swarm.head(), gate)
    assert git(gate, "status", "--short") == ""


def test_it_is_told_and_asked_again_it_is_the_same(swarm: Swarm) -> None:
    made = begun(swarm, {BOGUS: b"x\n"})
    write(Path(made.tree), {"new.py": "w\n"})
    done = swarm.gather(made, 3, "2")
    assert "left as they were" in done.warning
    assert "a.zig" in done.warning
    assert "app.py" not in done.warning
    assert swarm.gather(made, 3, "2") == done


def test_who_touches_one_answers_for_it(swarm: Swarm) -> None:
    made = begun(swarm, {BOGUS: b"x\n"})
    tree = Path(made.tree)
    # A line that the attempt writes itself is the attempt's.
    write(tree, {".gitattributes": "a.zig working-tree-encoding=none\n", "new.py": ""})
    found = swarm.gather(made, 3, "2")
    assert (found.reason, "'a.zig'" in found.message) == ("UnreadablePath", True)
    git(tree, "checkout", ".gitattributes")
    write(tree, {"a.zig": "mine\n"})
    found = swarm.gather(made, 3, "2")
    assert found.reason == "UnreadablePath"
    assert found.message.startswith(f"'a.zig': .gitattributes says {BOGUS}")
    # Each way out is one: the line goes, the file goes.
    write(tree, {".gitattributes": "* ident\n"})
    done = swarm.gather(made, 3, "2")
    assert done.files == [".gitattributes", "a.zig", "new.py"]
    assert done.warning == ""
    git(tree, "reset", "--hard", "-q", made.base)
    (tree / "a.zig").unlink()
    done = swarm.gather(made, 3, "2")
    assert (done.reason, done.files) == ("Done", ["a.zig"])


def test_a_source_that_has_it_lets_tasks_be_done(swarm: Swarm) -> None:
    lines = f"*.txt {BOGUS}\n"
    write(swarm.upstream, {"a.txt": "one\n", "deep/b.txt": "two\n"})
    git(swarm.upstream, "add", "--all")
    write(swarm.upstream, {".gitattributes": lines})
    git(swarm.upstream, "add", ".gitattributes")
    git(swarm.upstream, "commit", "--quiet", "-m", "Odd")
    swarm.prepare()
    done = merged(swarm, swarm.work({"new.py": "w\n"}))
    assert done.commit == swarm.head()
