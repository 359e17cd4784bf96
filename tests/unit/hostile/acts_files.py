"""What a hostile agent does to files and folders: its repository as a file system."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.unit.hostile.place import Place, make_writable

HUGE = 256 * 1024**2


def plants_configuration(place: Place) -> None:
    """Programs in every setting by which git runs one."""
    run = place.program()
    (place.repository / "config").write_text(
        f"[core]\n\tfsmonitor = {run}\n\tsshCommand = {run}\n\tpager = {run}\n"
        f"\teditor = {run}\n\thooksPath = {place.repository}/hooks\n"
        f'[filter "f"]\n\tclean = {run}\n\tsmudge = {run}\n\trequired = true\n'
        f'[merge "m"]\n\tdriver = {run}\n[diff]\n\texternal = {run}\n'
        f"[gpg]\n\tprogram = {run}\n[commit]\n\tgpgSign = true\n"
        f"[uploadpack]\n\tpackObjectsHook = {run}\n[include]\n\tpath = /etc/passwd\n"
    )
    place.write(".gitattributes", b"* filter=f merge=m diff=d\n")
    place.write("planted.txt")


def plants_hooks(place: Place) -> None:
    """A program for each of git's hooks."""
    hooks = place.repository / "hooks"
    shutil.rmtree(hooks, ignore_errors=True)
    hooks.mkdir()
    for name in ("pre-commit", "post-checkout", "reference-transaction", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\n{place.program()}\n")
        (hooks / name).chmod(0o755)
    place.write("hooked.txt")


def borrows_objects(place: Place) -> None:
    """Alternates that lead anywhere, by path and by URL."""
    info = place.objects / "info"
    info.mkdir(exist_ok=True)
    lines = ("/proc/self/root", "../../../..", "/dev", str(place.folder), "x" * 5000)
    (info / "alternates").write_text("\n".join(lines) + "\n")
    (info / "http-alternates").write_text("http://127.0.0.1:9/objects\n")
    place.write("borrowed.txt")


def puts_folders_for_objects(place: Place) -> None:
    """Folders, pipes and links that are named as objects are."""
    folder = place.objects / "ab"
    folder.mkdir(exist_ok=True)
    for number, kind in enumerate(("folder", "pipe", "link", "loop")):
        path = folder / f"{number:038x}"
        if kind == "folder":
            path.mkdir(exist_ok=True)
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/etc/passwd" if kind == "link" else path.name)
    place.write("odd.txt")


def puts_files_for_folders(place: Place) -> None:
    """A plain file where git wants a folder for its objects."""
    place.write("walled.txt")
    for number in range(256):
        path = place.objects / f"{number:02x}"
        if not path.exists():
            path.write_text("")


def links_away(place: Place) -> None:
    """A part of the repository is a link to somewhere else."""
    place.write("linked.txt")
    which = place.draw.choice(("objects", "refs", "packed-refs", "HEAD"))
    path = place.repository / which
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(place.draw.choice(("/etc", "/proc/self", "/dev/zero", which)))


def removes(place: Place) -> None:
    """The worktree, the repository, or all there is."""
    which = place.draw.choice(("tree", "repo.git", "", "objects"))
    target = place.objects if which == "objects" else place.folder / which
    shutil.rmtree(target, ignore_errors=True)


def swaps_the_tree(place: Place) -> None:
    """The worktree is a link, a file or a pipe."""
    shutil.rmtree(place.tree)
    which = place.draw.choice(("link", "file", "pipe"))
    if which == "link":
        place.tree.symlink_to(place.folder.parent)
    elif which == "file":
        place.tree.write_text("no folder")
    else:
        os.mkfifo(place.tree)


def fills_with_holes(place: Place) -> None:
    """Files that are large and have nothing in them, where git's own files are."""
    names = ("packed-refs", "HEAD", "index", "config", "objects/info/packs")
    for name in place.draw.sample(names, 2):
        path = place.repository / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.unlink(missing_ok=True)
        with path.open("wb") as opened:
            opened.truncate(HUGE)
    place.write("holes.txt")


def leaves_a_pipe(place: Place) -> None:
    """What is no plain file, in the worktree and beside it."""
    os.mkfifo(place.tree / "pipe")
    os.mkfifo(place.repository / "shallow")
    for name, target in (("loop", "loop"), ("away", "/etc/passwd")):
        (place.tree / name).unlink(missing_ok=True)
        (place.tree / name).symlink_to(target)
    place.write("piped.txt")


def writes_names(place: Place) -> None:
    """Names that a terminal, a shell or another system reads otherwise."""
    for name in (b"\xff\xfe", b"a\nb", b"\x1b[31mred", b"-rf", b"x" * 255, b":(top)y"):
        Path(os.fsdecode(bytes(place.tree) + b"/" + name)).write_text("x")
    place.write("\u202egnp.exe")


def writes_many_refs(place: Place) -> None:
    """Ten thousand refs, some with names that no branch may have."""
    lines = [f"{place.made.base} refs/heads/{n}" for n in range(10_000)]
    lines += [f"{'0' * 40} refs/heads/zero", "nonsense", f"{place.made.base} ../../x"]
    (place.repository / "packed-refs").write_text("\n".join(lines) + "\n")
    place.write("refs.txt")


def locks(place: Place) -> None:
    """Lock files of git that nobody takes away."""
    for name in ("index.lock", "HEAD.lock", "packed-refs.lock", "config.lock"):
        (place.repository / name).write_text("")
    admin = place.repository / "worktrees" / "tree"
    if admin.is_dir():
        (admin / "index.lock").write_text("")
    place.write("locked.txt")


def nests_repositories(place: Place) -> None:
    """Repositories inside the worktree: with and without a commit, and one linked."""
    which = place.draw.choice(("empty", "full", "linked", "file"))
    inner = place.tree / "inner"
    if which == "linked":
        place.git("worktree", "add", "--detach", "--quiet", str(inner))
    elif which == "file":
        inner.mkdir()
        (inner / ".git").write_text("gitdir: /nowhere\n")
    else:
        inner.mkdir()
        place.git("init", "--quiet", "inner")
    if which == "full":
        place.git("-C", "inner", "commit", "--quiet", "--allow-empty", "-m", "x")
    place.write("inner/file.txt")


def breaks_its_objects(place: Place) -> None:
    """Garbage, half a file, nothing: in the place of objects that are there."""
    place.write("broken.txt")
    place.git("add", "--all")
    place.git("commit", "--quiet", "-m", "broken")
    for path in place.some_objects():
        make_writable(path)
        content = path.read_bytes()
        path.write_bytes(place.draw.choice((b"garbage", content[: len(content) // 2])))


FILE_ACTS = (
    plants_configuration,
    plants_hooks,
    borrows_objects,
    puts_folders_for_objects,
    puts_files_for_folders,
    links_away,
    removes,
    swaps_the_tree,
    fills_with_holes,
    leaves_a_pipe,
    writes_names,
    writes_many_refs,
    locks,
    nests_repositories,
    breaks_its_objects,
)
