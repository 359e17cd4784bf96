"""Which box of a file is the one of a task: by title, number, group and neighbours.

Used by ``edit``, for files that people change while agents work. Where a file does not tell
several tasks of one title apart, the file that the task was made from does; where that does not
help either, it is none: a tick on a task that nobody did loses that task.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Optional

from kiro_swarm.api.task import MAX_TITLE
from kiro_swarm.tasks.file.model import SpecTask, TaskFile
from kiro_swarm.tasks.file.unseen import shown

#: `C`, `C++` and `C#` are three titles; what Markdown and people decorate with is none.
_WORD: Final = re.compile(r"(?:[^\W_]|[+#%$@=<>^&|])+")
Words = tuple[str, ...]


def words_of(title: str) -> Words:
    """A title as it is compared: marks, dots, blanks and case make it no other one."""
    whole = _plain(title)
    plain = unicodedata.normalize("NFKC", whole).casefold()
    return tuple(_WORD.findall(plain)) or (whole,)


def _plain(title: str) -> str:
    return " ".join(shown(title)[:MAX_TITLE].split())


class _Titles:
    """The leaves of a file by their titles."""

    def __init__(self, file: TaskFile) -> None:
        self.leaves = file.leaves
        self.words = [words_of(leaf.title) for leaf in self.leaves]
        self._count = Counter(self.words)
        self._groups = {task.id: words_of(task.title) for task in file.tasks}

    def alike(self, title: str) -> list[int]:
        """Places of the leaves whose title reads like this one."""
        wanted = words_of(title)
        return [at for at, words in enumerate(self.words) if words == wanted]

    def exactly(self, title: str) -> list[int]:
        """Places of the leaves of just this title."""
        plain = _plain(title)
        return [
            at for at in self.alike(title) if _plain(self.leaves[at].title) == plain
        ]

    def group(self, at: int) -> Words:
        """The title of the group of a leaf."""
        return self._groups.get(self.leaves[at].parent or "", ())

    def beside(self, at: int) -> list[Optional[Words]]:
        """The titles before and after a leaf; None where they tell nothing."""
        places = (at - 1, at + 1)
        return [
            self.words[p] if 0 <= p < len(self.words) and self.alone(p) else None
            for p in places
        ]

    def alone(self, at: int) -> bool:
        """Whether no other leaf has the title of this one."""
        return self._count[self.words[at]] == 1


def same_box(
    file: TaskFile,
    task_id: str,
    title: str,
    group: str,
    earlier: Callable[[], Optional[TaskFile]],
) -> Optional[SpecTask]:
    """The leaf of ``file`` that is the task, or None.

    :param group: the title of the group of the task; empty where it has none, or is not known.
    :param earlier: the file that the task was made from, if it is known.
    """
    now = _Titles(file)
    exact = now.exactly(title)
    found = exact or now.alike(title)
    if not found or not title:
        # Without a title there is nothing to know it by but its number.
        return next((now.leaves[at] for at in found if _is(now, at, task_id)), None)
    known = words_of(group) if group else ()
    before = earlier()
    if before is None:
        at = _guess(now, found, task_id, known)
    else:
        old = _Titles(before)
        twins = (old.exactly(title) if exact else []) or old.alike(title)
        at = _compared(old, now, twins, found, task_id, known)
    return None if at is None else now.leaves[at]


def _is(file: _Titles, at: int, task_id: str) -> bool:
    return file.leaves[at].id == task_id


def _guess(
    now: _Titles, found: Sequence[int], task_id: str, group: Words
) -> Optional[int]:
    """By the file alone."""
    if len(found) > 1 and group:
        found = [at for at in found if now.group(at) == group]
    same = [at for at in found if _is(now, at, task_id)]
    if same:
        return same[0]
    return found[0] if len(found) == 1 else None


def _compared(
    old: _Titles,
    now: _Titles,
    twins: Sequence[int],
    found: Sequence[int],
    task_id: str,
    group: Words,
) -> Optional[int]:
    """By the file that the task was made from, where ``twins`` have its title."""
    was = next((at for at in twins if _is(old, at, task_id)), None)
    if len(twins) == len(found) == 1:
        return found[0]
    if was is None:
        # Numbered anew before it was begun: its group alone may tell it.
        inside = [at for at in found if group and now.group(at) == group]
        fewer = [at for at in twins if group and old.group(at) == group]
        return inside[0] if len(inside) == len(fewer) == 1 else None
    if _unchanged(old, now, was):
        return was
    name = old.group(was)
    inside = [at for at in found if now.group(at) == name]
    if name and len(inside) == 1 == sum(old.group(at) == name for at in twins):
        return inside[0]
    beside = old.beside(was)
    if len(twins) == len(found):
        at = found[twins.index(was)]
        others = {old.group(twin) for twin in twins if twin != was} - {name}
        near = any(a is not None and a == b for a, b in zip(beside, now.beside(at)))
        if now.group(at) in others or not (
            near or _is(now, at, task_id) or (name and now.group(at) == name)
        ):
            return None
        return at
    if None in beside:
        return None
    same = [at for at in found if now.beside(at) == beside]
    return same[0] if len(same) == 1 else None


def _unchanged(old: _Titles, now: _Titles, until: int) -> bool:
    """Whether all leaves down to one are what they were."""
    if len(now.leaves) <= until:
        return False
    if _plain(old.leaves[until].title) != _plain(now.leaves[until].title):
        return False
    return all(
        old.leaves[at].id == now.leaves[at].id
        and old.words[at] == now.words[at]
        and old.group(at) == now.group(at)
        for at in range(until + 1)
    )
