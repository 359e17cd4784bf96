"""What a hostile agent makes by hand: commits and trees that git would not make.

Each ends with a commit that the container claims to be its work, whatever evidence says.
"""

from __future__ import annotations

import zlib

from tests.unit.hostile.place import Place

#: Depth of a tree: git walks trees by recursion.
DEEP = 3_000
NAMES = (
    *(b".git", b".GIT", b"..", b".", b"", b"a/b", b"z" * 301, b"git~1", b"\x80\x81"),
    *(b".gitmodules", b"a\\..\\b", "\u200c.git".encode(), b"\x01\x1b[2J"),
)


def claims(place: Place, commit: str) -> None:
    """Stand on the commit and name it in a forged answer."""
    place.stand_on(commit)
    place.claim = commit


def claims_a_tag(place: Place) -> None:
    """An annotated tag in the place of a commit, with the trailer in its message."""
    commit = place.commit(place.base_with(("100644", b"t", place.put("blob", b"t"))))
    text = f"object {commit}\ntype commit\ntag t\ntagger a <a@b> 0 +0000\n\nx\n\n"
    claims(place, place.put("tag", f"{text}Swarm-Task: {place.trailer}\n".encode()))


def claims_what_is_no_commit(place: Place) -> None:
    """A blob, a tree, or an id that nothing has."""
    blob = place.put("blob", b"work")
    place.claim = place.draw.choice((blob, place.tree_of(), "0" * 40, "f" * 40))


def claims_what_is_merged(place: Place) -> None:
    """The commit that it began with."""
    place.claim = place.made.base


def commits_strange_names(place: Place) -> None:
    """Entries of a tree that no checkout can have, or that lead out of it."""
    blob = place.put("blob", b"x")
    name = place.draw.choice(NAMES)
    claims(place, place.commit(place.base_with(("100644", name, blob))))


def commits_strange_modes(place: Place) -> None:
    """Modes that git knows not, a null id, links that lead out, entries twice."""
    blob = place.put("blob", b"../../../../etc/passwd")
    entries = place.draw.choice(
        (
            (("160000", b"zzz", "0" * 40),),
            (("120000", b".gitmodules", blob),),
            (("120000", b"zz", blob), ("100644", b"zz", blob)),
            (("777777", b"zz", blob),),
            (("40000", b"zz", blob),),
            (("100644", b"zz", "1" * 40),),
            (("100644", b"zz", blob), ("100644", b"aa", blob)),
        )
    )
    claims(place, place.commit(place.base_with(*entries)))


def commits_a_deep_tree(place: Place) -> None:
    """Folders in folders, deeper than any walk by recursion should go."""
    oid, mode = place.put("blob", b"x"), "100644"
    for _ in range(DEEP):
        oid, mode = place.tree_of((mode, b"d", oid)), "40000"
    claims(place, place.commit(place.base_with(("40000", b"zdeep", oid))))


def commits_a_tree_of_millions(place: Place) -> None:
    """Nine trees of ten entries each: ten to the ninth paths."""
    oid, mode = place.put("blob", b"x"), "100644"
    for _ in range(9):
        oid = place.tree_of(*((mode, b"d%d" % n, oid) for n in range(10)))
        mode = "40000"
    claims(place, place.commit(place.base_with(("40000", b"zbomb", oid))))


def commits_what_unpacks_to_much(place: Place) -> None:
    """Three hundred megabytes of nothing in a third of one."""
    size = 300 * 1024**2
    packer, pieces = zlib.compressobj(1), []
    pieces.append(packer.compress(b"blob %d\0" % size))
    piece = bytes(1024**2)
    pieces += [packer.compress(piece) for _ in range(size // len(piece))]
    oid = f"{place.draw.getrandbits(160):040x}"
    place.put_as(oid, b"".join([*pieces, packer.flush()]))
    claims(place, place.commit(place.base_with(("100644", b"zbig", oid))))


def commits_strange_messages(place: Place) -> None:
    """Messages, people and times that readers of a commit fall over."""
    trailer = f"\n\nSwarm-Task: {place.trailer}\n".encode()
    message, head, who = place.draw.choice(
        (
            (b"a\0b" + trailer, b"", b"A <a@b> 0 +0000"),
            (b"\xff\xfe" + trailer, b"encoding UTF-16\n", b"A <a@b> 0 +0000"),
            (b"x" * 2_000_000 + trailer, b"", b"A <a@b> 0 +0000"),
            (b"s" + trailer, b"", b"A <a@b> 99999999999999999999 +9999"),
            (b"s" + trailer, b"", b"A <a@b> 253402300800 +0000"),
            (b"s" + trailer, b"", b"nobody"),
            (b"s" + trailer * 1000, b"", b"\n"),
            (b"s" + trailer, b"gpgsig " + b"x" * 100_000 + b"\n", b"A <a@b> 0 +0000"),
            (b"s" + trailer, b"parent " + b"0" * 40 + b"\n", b"A <a@b> 0 +0000"),
            (b"\x1b[2J\x9b" + trailer, b"", b"\x1b[31m <\x07> 0 +0000"),
        )
    )
    tree = place.base_with(("100644", b"zmsg", place.put("blob", b"m")))
    claims(place, place.commit(tree, message, head=head, who=who))


def claims_another_task(place: Place) -> None:
    """Trailers of tasks and swarms that it has nothing to do with."""
    uid = place.draw.choice(("uid-1-1", "uid-1-2", "uid-9-9"))
    text = f"x\n\nSwarm-Task: {uid}/1\nSwarm-Task-Id: 1.2\nSwarm-Id: demo\n"
    tree = place.base_with(("100644", b"zother", place.put("blob", b"o")))
    claims(place, place.commit(tree, text.encode()))


def shadows_an_object(place: Place) -> None:
    """Other content under the id of a file that everybody has."""
    blob = place.git("rev-parse", f"{place.made.base}:app.py")
    evil = b"print('evil')\n"
    place.put_as(blob, zlib.compress(b"blob %d\0" % len(evil) + evil))
    place.write("shadow.txt")


def writes_a_false_pack(place: Place) -> None:
    """A pack that is none, with an index that says that it has everything."""
    name = f"pack-{place.draw.getrandbits(160):040x}"
    pack = place.objects / "pack"
    pack.mkdir(exist_ok=True)
    (pack / f"{name}.pack").write_bytes(b"PACK" + bytes([0, 0, 0, 2]) * 2 + bytes(40))
    (pack / f"{name}.idx").write_bytes(b"\xfftOc" + bytes([0, 0, 0, 2]) + bytes(2000))
    place.write("packed.txt")


def rewrites_history(place: Place) -> None:
    """A commit that has no parent, or other ones."""
    tree = place.base_with(("100644", b"zorphan", place.put("blob", b"o")))
    text = f"tree {tree}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 0 +0000\n\nx\n\n"
    orphan = place.put("commit", f"{text}Swarm-Task: {place.trailer}\n".encode())
    claims(place, orphan)


OBJECT_ACTS = (
    claims_a_tag,
    claims_what_is_no_commit,
    claims_what_is_merged,
    commits_strange_names,
    commits_strange_modes,
    commits_a_deep_tree,
    commits_a_tree_of_millions,
    commits_what_unpacks_to_much,
    commits_strange_messages,
    claims_another_task,
    shadows_an_object,
    writes_a_false_pack,
    rewrites_history,
)
