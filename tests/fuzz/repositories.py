"""What a repository and its server say, read by our own code and not by git.

The target ``repositories``: trees and commits before git has proved them, lines of attributes and
of what is ignored, names of refs, output of git and words of a server. A text stands for bytes, one
character each (Latin-1); what no byte can be is left out.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Callable

from kiro_swarm.workspace.answers import explain
from kiro_swarm.workspace.attribute_files import Said
from kiro_swarm.workspace.attributes import for_merges
from kiro_swarm.workspace.briefs import conflict_hunks, read_trial, shown_name
from kiro_swarm.workspace.collisions import collision
from kiro_swarm.workspace.encrypted import names_one
from kiro_swarm.workspace.errors import InvalidName, WorkspaceError
from kiro_swarm.workspace.objects import commit_links, entries
from kiro_swarm.workspace.pattern_steps import steps
from kiro_swarm.workspace.redaction import redact, redact_end
from kiro_swarm.workspace.refs import (
    check_branch,
    check_instance,
    check_object_id,
    check_path,
    check_trailer,
    check_word,
    is_task_branch,
    trailer_of,
)
from kiro_swarm.workspace.refusals import refusal
from kiro_swarm.workspace.sealed import is_secret, opens, seal_of
from kiro_swarm.workspace.tree_names import counted
from tests.fuzz.engine import Target

_OID = "0123456789abcdef0123456789abcdef01234567"
_URL = "https://git.example/team/shop.git"
#: Longest explanation of an answer: what git said is cut to 600.
LONGEST_ANSWER = 2_000
_CHECKS: tuple[Callable[[str], str], ...] = (
    *(check_branch, check_instance, check_object_id, check_path, check_trailer),
    check_word,
)


def check_repository(text: str) -> str:
    """Each reader has an answer, or its own error, and the answer is no larger than the text."""
    data = text.encode("latin-1", "ignore")
    found = [
        *entries(memoryview(data), len(_OID)),
        *entries(memoryview(data), len(_OID) + 24),
    ]
    if sum(len(entry.name) for entry in found) > 2 * len(data):
        raise AssertionError("entries of a tree that are not in it")
    _, parents = commit_links(memoryview(data))
    paths = sorted(set(filter(None, data.split(b"\n"))))
    rules = {b".gitignore": data, b"a/.gitattributes": data}
    costs = steps(rules, paths) > 0
    counted(paths)
    pair = collision(paths, [], paths)
    attributes = for_merges([Said(b"", data), Said(b"a b/*", data)])
    if any(len(one.text) > len(data) for one in attributes):
        raise AssertionError("attributes that nobody wrote")
    if any(_names_a_program(one.text) for one in attributes):
        raise AssertionError("attributes that name a program")
    sealed, filters = _sealed(data), names_one(data)
    trial = read_trial(data)
    conflict_hunks(text)
    shown_name(text)
    allowed = [check.__name__ for check in _CHECKS if _passes(check, text)]
    kind = type(_answer(text)).__name__
    return (
        f"{len(found) > 0} {len(parents) > 0} {costs} {pair is not None} {kind}"
        f" {bool(attributes)} {len(trial.conflicts) > 0} {allowed} {is_task_branch(text)}"
        f" {trailer_of(text) is not None} {refusal(text)[:20]} {sealed} {filters}"
    )


def _sealed(data: bytes) -> str:
    """By what a text is encrypted; nothing has opened itself, nor anything without a seal."""
    seal = seal_of(data)
    if seal is None:
        return ""
    if opens(seal, seal) or sum(map(len, seal.macs)) > len(data):
        raise AssertionError("a text that has opened itself")
    return seal.by + " secret" * is_secret(seal, b"a.yaml")


def _names_a_program(text: bytes) -> bool:
    """Whether a word behind a plain pattern does so."""
    for line in text.split(b"\n"):
        line = line.split(b"\0", 1)[0][3 * line.startswith(b"\xef\xbb\xbf") :]
        pattern, *words = re.split(rb"[ \t\r]+", line.strip(b" \t\r"))
        if b'"' not in pattern and {b"merge=evil", b"filter=lfs"}.intersection(words):
            return True
    return False


def _answer(text: str) -> WorkspaceError:
    """What a server's words are told as: in bounds, and printable by who shows it."""
    error = explain(_URL, text)
    if len(error.message) > LONGEST_ANSWER:
        raise AssertionError(f"an answer of {len(error.message)} characters")
    if len(redact_end(text, 600)) > 700:
        raise AssertionError("an end that was not cut")
    redact(text)
    return error


def _passes(check: Callable[[str], str], text: str) -> bool:
    """Whether a name is taken; what is taken has nothing that steers anything."""
    with suppress(InvalidName):
        check(text)
        if not text.isprintable() or text.startswith("-") or "\n" in text:
            raise AssertionError(f"{text!r} is taken for a name")
        return True
    return False


def repositories() -> Target:
    """The target."""
    tree = "100644 a\0" + "\1" * 20 + "40000 b\0" + "\2" * 20
    commit = f"tree {_OID}\nparent {_OID}\nauthor a <a@b> 0 +0000\n\nx\n"
    attributes = '*.md merge=union\n[attr]bin -text\n"a b" text\n/a/**/*.c eol=lf\n'
    trial = f"{_OID}\0a\0b\0\0CONFLICT (content): Merge conflict in a\0"
    said = f"fatal: unable to access '{_URL}/': The requested URL returned error: 403\n"
    names = ("swarm/s/1.1/1", "a/b", "uid-1/1", "shop-1", _OID)
    pieces = (
        *("100644 ", "40000 ", "160000 ", "\0", "\1" * 20, "tree ", "parent ", _OID),
        *("*", "**/", "[", "[!a-", "]", "\\", "?", "/", "!", "#", '"', "[attr]"),
        *(" merge=evil", " filter=lfs", "\xef\xbb\xbf", "merge", "filter"),
        *(" -text", " merge=union", " binary", "\n", "\r", "\t", " ", "a", "A", "\xe4"),
        *(
            "<<<<<<< ",
            ">>>>>>> ",
            "CONFLICT (x): ",
            "..",
            ".lock",
            "@{",
            "~",
            "-",
            "/.",
        ),
        *(
            "\0GITCRYPT\0",
            "$ANSIBLE_VAULT;",
            "mac: ENC[",
            "mac=ENC[",
            "filter=git-crypt",
        ),
        *("remote: ", "fatal: ", "error: ", "https://u:p@h/", "?token=", "SSL ", "407"),
        *("protected branch", "GH006", "returned error: 413", "not a git repository"),
    )
    examples = (tree, commit, attributes, trial, said, *names)
    return Target("repositories", examples, pieces, check_repository)
