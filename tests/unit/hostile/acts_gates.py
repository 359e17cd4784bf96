"""What a hostile agent has its gates do: programs of its work, run in the gate container.

Each file below ``gate.d`` is run by the gate (container.py). What no program can do to a
container in memory it asks for, by a word in ``$KIRO_ACT``; the rest it does.
"""

from __future__ import annotations

from contextlib import suppress

from tests.unit.hostile.place import Place

#: The volume of a swarm in which somebody fills it, in MiB.
VOLUME_MIB = 64
#: Where the gate looks for programs.
FOLDER = "gate.d"


def _has_a_gate(place: Place, text: str) -> None:
    place.write(f"{FOLDER}/{place.trailer.split('/')[0]}.sh", text.encode() + b"\n")


def ends_the_gate_container(place: Place) -> None:
    """Each time, as one that takes all of its memory does."""
    _has_a_gate(place, 'echo end > "$KIRO_ACT"')


def fills_the_scratch(place: Place) -> None:
    """More than the pod may have: the kubelet ends all of it, the Job too."""
    where = place.draw.choice(("$HOME", "$TMPDIR", "$PWD"))
    _has_a_gate(place, f'head -c 6000000 /dev/zero > "{where}/filler"')


def ends_the_job(place: Place) -> None:
    """By whatever no kubelet gives a reason for: the node, at last."""
    _has_a_gate(place, 'echo node > "$KIRO_ACT"')


def ends_the_gate_container_for_good(place: Place) -> None:
    """None comes in its place."""
    _has_a_gate(place, 'echo gone > "$KIRO_ACT"')


def writes_into_the_tree(place: Place) -> None:
    """Whatever it can, where the next one gets its files."""
    _has_a_gate(
        place,
        "rm -rf .git app.py; mkfifo pipe; ln -s / root; ln -s loop loop; mkdir -p a/b/c\n"
        'chmod 000 a/b a; echo evil > "$HOME/.gitconfig"; chmod 500 "$HOME"\n'
        'mkdir -p "$TMPDIR/x/y"; chmod 000 "$TMPDIR/x"; cd ..; mv "$OLDPWD" moved\n'
        "chmod 000 moved",
    )


def leaves_processes(place: Place) -> None:
    """Detached ones."""
    _has_a_gate(place, "setsid sleep 2 > /dev/null 2>&1 < /dev/null &")


def never_ends(place: Place) -> None:
    """Until its time is up."""
    _has_a_gate(place, 'echo late > "$KIRO_ACT"')


def is_not_runnable(place: Place) -> None:
    """As a program that is not there; or by a signal."""
    _has_a_gate(place, place.draw.choice(("exit 127", "exit 126", "kill -9 $$")))


def says_much(place: Place) -> None:
    """More than anybody wants to read, and fails."""
    _has_a_gate(place, "head -c 3000000 /dev/urandom; exit 1")


def fills_the_volume(place: Place) -> None:
    """All that the swarm has, from its own folder."""
    place.write("own.txt")
    place.filler = place.tree / "filler.log"
    with suppress(OSError), place.filler.open("wb", buffering=0) as opened:
        for _ in range(VOLUME_MIB * 16):
            opened.write(bytes(64 * 1024))


GATE_ACTS = (
    ends_the_gate_container,
    fills_the_scratch,
    ends_the_job,
    ends_the_gate_container_for_good,
    writes_into_the_tree,
    leaves_processes,
    never_ends,
    is_not_runnable,
    says_much,
    fills_the_volume,
)
