"""A colour for every instance: Peacock's favourites first, then hues far from each other.

A colour follows from the number of the instance alone, so it is stable for its life, and
no two instances of a swarm share one.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

_FAVOURITES = (
    ("Azure Blue", "#007fff"),
    ("Vue Green", "#42b883"),
    ("Svelte Orange", "#ff3d00"),
    ("Something Different", "#832561"),
    ("JavaScript Yellow", "#f9e64f"),
    ("React Blue", "#61dafb"),
    ("Angular Red", "#dd0531"),
    ("Node Green", "#215732"),
    ("Mandalorian Blue", "#1857a4"),
)
#: Turning the hue by the golden angle keeps any number of colours apart.
_GOLDEN = 0.6180339887498949
_SHADES = ((0.55, 0.62), (0.38, 0.70), (0.68, 0.75), (0.46, 0.45))


@dataclass(frozen=True)
class Colour:
    """A name for people and ``#rrggbb`` for programs."""

    name: str
    code: str


def colour_of(index: int) -> Colour:
    """The colour of the instance number ``index``, from 1."""
    if index <= len(_FAVOURITES):
        return Colour(*_FAVOURITES[index - 1])
    step = index - len(_FAVOURITES)
    hue = (step * _GOLDEN) % 1.0
    lightness, saturation = _SHADES[step % len(_SHADES)]
    red, green, blue = (
        round(part * 255) for part in colorsys.hls_to_rgb(hue, lightness, saturation)
    )
    return Colour(f"Hue {round(hue * 360)}", f"#{red:02x}{green:02x}{blue:02x}")
