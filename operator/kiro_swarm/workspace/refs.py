"""Which names of refs, commits and paths are let through to git.

Role: called by everything in this package before a name reaches git. git's own check is
not enough: it accepts ``a$(id)``, ``a;id`` and ``refs/heads/main`` as branch names.

Guarantees: pure; a name that passes is safe as an argument, as a file name and in a
message. Errors name the character and its position, counted from 1.
"""

from __future__ import annotations

import re
from typing import Optional, Pattern

from kiro_swarm.workspace.errors import InvalidName, InvalidPath, InvalidRef

_TASK_PART = r"[a-z0-9][a-z0-9._-]{0,62}"
_TASK_BRANCH = re.compile(rf"swarm/{_TASK_PART}/{_TASK_PART}/[1-9][0-9]{{0,5}}")
_BRANCH_CHARACTERS = re.compile(r"[A-Za-z0-9._+#@/-]")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_ATTEMPT = r"[1-9][0-9]{0,5}"
_TRAILER = re.compile(rf"{_UID.pattern}/{_ATTEMPT}")
#: Name of the folder in which an attempt's work is kept.
_PLACE = re.compile(rf"({_UID.pattern})\.({_ATTEMPT})")
#: As the operator names KiroInstances, and so the folders of their repositories.
_INSTANCE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MAXIMUM_REF = 200
_MAXIMUM_PATH = 1024


def is_object_id(text: str) -> bool:
    """Whether the text is a full SHA-1 or SHA-256 in lower case."""
    return _OBJECT_ID.fullmatch(text) is not None


def check_object_id(text: str) -> str:
    """The text, if it is a full object id; InvalidRef otherwise."""
    if not is_object_id(text):
        raise InvalidRef(f"{text[:80]!r} is not a full commit id (40 or 64 hex digits)")
    return text


def check_trailer(text: str) -> str:
    """The text, if it reads ``<uid>/<attempt>``; InvalidRef otherwise."""
    if not _TRAILER.fullmatch(text):
        raise InvalidRef(f"{text[:80]!r} is not <task uid>/<attempt>")
    return text


def is_trailer(text: str) -> bool:
    """Whether the text reads ``<uid>/<attempt>``."""
    return _TRAILER.fullmatch(text) is not None


def place_name(uid: str, attempt: int) -> str:
    """``<uid>.<attempt>``, a name of a folder; InvalidName where it names no attempt."""
    name = f"{uid}.{attempt}"
    if not _PLACE.fullmatch(name):
        raise InvalidName(f"{name[:80]!r} does not name an attempt of a task")
    return name


def trailer_of(place: str) -> Optional[str]:
    """``<uid>/<attempt>`` of the name of such a folder; None of any other name."""
    found = _PLACE.fullmatch(place)
    return None if found is None else f"{found[1]}/{found[2]}"


def check_instance(name: str) -> str:
    """The name, if an instance can have it, and so its folder; InvalidName otherwise."""
    if not _INSTANCE.fullmatch(name):
        raise InvalidName(f"{name[:80]!r} is not the name of an instance")
    return name


def check_word(text: str) -> str:
    """The text, if it is a uid; InvalidRef otherwise."""
    if not _UID.fullmatch(text):
        raise InvalidRef(f"{text[:80]!r} is not a uid")
    return text


def is_task_branch(name: str) -> bool:
    """Whether the name is one that the operator gives to a task's attempt."""
    return _TASK_BRANCH.fullmatch(name) is not None and _objection(name) is None


def check_task_branch(name: str) -> str:
    """The name, if it reads ``swarm/<swarm>/<task>/<attempt>``; InvalidRef otherwise."""
    check_branch(name)
    if not is_task_branch(name):
        raise InvalidRef(
            f"branch {name!r} is not of the form swarm/<swarm>/<task>/<attempt>"
            " (lower case, the attempt a number from 1)"
        )
    return name


def check_branch(name: str) -> str:
    """The short name of a person's branch or tag, if allowed; InvalidRef otherwise."""
    objection = _objection(name)
    if objection is not None:
        raise InvalidRef(f"branch {name[:80]!r} is not allowed: {objection}")
    return name


def check_path(path: str) -> str:
    """A path relative to the repository's top, if allowed; InvalidPath otherwise."""
    objection = _path_objection(path)
    if objection is not None:
        raise InvalidPath(f"path {path[:80]!r} is not allowed: {objection}")
    return path


def _objection(name: str) -> str | None:
    if not name:
        return "it is empty"
    if len(name) > _MAXIMUM_REF:
        return f"it has {len(name)} characters, {_MAXIMUM_REF} at most"
    stray = _first_stray(name, _BRANCH_CHARACTERS)
    if stray is not None:
        return f"it contains {stray}; allowed: A-Z a-z 0-9 . _ + # @ - /"
    if name.startswith("refs/"):
        return "give the short branch name, without refs/heads/ or refs/tags/"
    if name in ("HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "@"):
        return "the name means something else to git"
    if ".." in name:
        return "'..' in a ref"
    for part in name.split("/"):
        if not part:
            return "a part between slashes is empty"
        if not part[0].isalnum():
            return f"a part may not begin with {part[0]!r}"
        if part.endswith((".", ".lock")):
            return "a part may not end with '.' or '.lock'"
    return None


def _path_objection(path: str) -> str | None:
    if not path:
        return "it is empty"
    if len(path) > _MAXIMUM_PATH:
        return f"it has {len(path)} characters, {_MAXIMUM_PATH} at most"
    for position, character in enumerate(path, start=1):
        if not character.isprintable() or character == "\\":
            return f"it contains {_show(character)} at position {position}"
    if path.startswith("/"):
        return "give it relative to the top of the repository, without a leading '/'"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"the part {part!r} does not name a folder or file"
        if part.lower() == ".git":
            return "'.git' belongs to git"
        if part.startswith("-"):
            return "a part may not begin with '-'"
    return None


def _first_stray(name: str, allowed: Pattern[str]) -> str | None:
    for position, character in enumerate(name, start=1):
        if not allowed.match(character):
            return f"{_show(character)} at position {position}"
    return None


def _show(character: str) -> str:
    if character.isprintable():
        return repr(character)
    return f"the character U+{ord(character):04X}"
