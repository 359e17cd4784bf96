"""A task file as large as one likes, of the shape that large specs have. Seeded."""

from __future__ import annotations

import random
from typing import Iterator, List

#: About as surprising as the words of real task files: what is compressed has to be.
_TEXT = (
    "account adapter address amount answer archive audit balance batch border "
    "branch bridge budget buffer cache calendar channel chart check client clock "
    "column command commit config contract counter currency cursor customer dashboard "
    "default delivery device digest discount document driver editor error event "
    "export feature field filter folder format gateway grant handler header history "
    "import index input invoice journal key label layer ledger limit link listing "
    "loader locale mail manual mapping margin message meter migration mirror model "
    "module monitor network note number object offer order output owner page parser "
    "password path payment period person picture plan policy pool port preview price "
    "process product profile project prompt proxy query queue quota range rate reader "
    "record refund region release report request reserve result retry role route rule "
    "sample scale schema scope search secret section sensor series server session "
    "setting shape share sheet signal size source stage status stock storage stream "
    "summary supplier switch table target task tax template tenant test text theme "
    "ticket token total trace transfer trigger type unit update upload user validator "
    "value vendor version view voucher warehouse window worker"
)
_WORDS = _TEXT.split()
_PHASE = 1000
_WIDTH = 100


def large_spec(count: int, seed: int = 10_000, detail: int = 0) -> str:
    """A tasks.md of ``count`` tasks, each with ``detail`` lines of text more.

    Lines, of some 75 characters: of 10,000 tasks with 2000 each it is a text of 1.5 GB.

    Phases of up to 1000 tasks; each ends with a checkpoint, which waits for the whole of it
    and is what the next phase waits for. A phase is made of layers 100 wide; a task waits
    for one to three of the layer above: diamonds, forks and joins.
    """
    draw = random.Random(seed)
    lines = ["# Implementation Plan", ""]
    for number, start in enumerate(range(0, count, _PHASE)):
        size, phase = min(_PHASE, count - start), 2 * number + 1
        lines.append(f"- [ ] {phase}. {_some(draw, 3, 5).capitalize()}")
        lines += _phase(draw, phase, size - 1, detail)
        lines.append(f"- [ ] {phase + 1}. Checkpoint: all tests pass")
        lines.append("  - Ask the user if questions arise")
        lines.append("")
    return "\n".join(lines)


def _phase(draw: random.Random, phase: int, size: int, detail: int) -> Iterator[str]:
    above: List[int] = []
    layer: List[int] = []
    for number in range(1, size + 1):
        if len(layer) == _WIDTH:
            above, layer = layer, []
        needed = draw.sample(above, min(len(above), draw.randint(1, 3)))
        yield f"  - [ ] {phase}.{number} {_some(draw, 4, 8).capitalize()}"
        yield f"    - `src/{_some(draw, 1, 1)}/part_{number}.py`: {_some(draw, 6, 12)}"
        for _ in range(1 + detail):
            yield f"    - {_some(draw, 8, 14).capitalize()}"
        yield f"    - _Requirements: {phase}.{draw.randint(1, 20)}_"
        named = ", ".join(f"{phase}.{other}" for other in sorted(needed))
        yield f"    - _Depends: {named or 'none'}_"
        layer.append(number)


def _some(draw: random.Random, least: int, most: int) -> str:
    return " ".join(draw.choices(_WORDS, k=draw.randint(least, most)))
