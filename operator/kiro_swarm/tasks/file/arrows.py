"""Arrows that are one character, by where they point.

Used wherever a line or a drawing may say with one that a task comes before another: what is an
arrow in one of these places is one in all of them. An emoji has U+FE0F behind it.
"""

from __future__ import annotations

from typing import Final

RIGHT: Final = "→⟶⇒⟹⇨➔➙➛➜➝➞➟➠➡➤⮕⟼↦⇾⭢▶►▷▸"
LEFT: Final = "←⟵⇐⟸⇦⬅◀◁◄"
DOWN: Final = "↓⇓⇩⬇▼▽⏬"
UP: Final = "↑⇑⇧⬆▲△⏫"
#: Says of an arrow that it is an emoji, and can stand for a blank.
EMOJI: Final = "\ufe0f"
