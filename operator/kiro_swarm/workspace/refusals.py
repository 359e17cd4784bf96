"""What a server means that refuses a push, and what to do about it.

Role: push.py and rescue.py ask when the server took the push apart and said no. Pure.

Guarantees: no advice says that asking again helps: who refuses so refuses the same again.
"""

from __future__ import annotations

import re

# What servers say when they refuse one branch of a push, from the particular to the general: a
# hook may say any of it, and its refusal itself is the most general word.
_REFUSED: tuple[tuple[str, str], ...] = (
    (
        r"fsck error|object [0-9a-f]{40,64}: [a-zA-Z]+: ",
        "The server checks what it is sent (receive.fsckObjects) and refuses an object. It is"
        " in the history of the branch by now, so the same push is refused again: allow it"
        " there (receive.fsck.NAME, the name is behind the object's id), or begin a new swarm"
        " without it",
    ),
    (
        r"pack exceeds maximum|TF402462|rejected because its size",
        "What is pushed at once is larger than the server takes (receive.maxInputSize):"
        " raise that limit",
    ),
    (
        r"[Pp]ush cannot contain secrets|[Ss]ecrets? (detected|found)|contains .{0,40}secrets?"
        r"|GH009|VS403654",
        "The server finds something that looks like a secret. It is in the history of the"
        " branch by now, so the same push is refused again: allow it there where it is none,"
        " or begin a new swarm without it, and change what has leaked",
    ),
    (
        r"LFS objects are missing|[Mm]issing LFS|lfs push --all",
        "The server has not the content of files of Git LFS, which the repository that the"
        " swarm began from keeps elsewhere: run `git lfs push --all` to it",
    ),
    (
        r"Internal API|[Ii]nternal [Ss]erver [Ee]rror|fatal error in commit_refs|\(failure\)",
        "The server failed at its own work: look at its state and its log",
    ),
    (
        r"(is|was|been|an) archived|read.only (mode|instance|repository)|maintenance mode",
        "The server takes no changes of this repository (archived, read-only, maintenance):"
        " open it again there",
    ),
    (
        r"[Pp]ermission denied to update branch|TF402455|pull requests?\b|[Pp]rohibited by"
        r" Gerrit|merge requests?\b|Changes must be made through",
        "The branch is protected there and takes pull requests only: allow the account to"
        " push it, or name another spec.integration.branch in a new swarm",
    ),
    (
        r"[Rr]epository.{0,80}(size limit|storage limit)|over its (size|storage)|[Qq]uota"
        r"|No space left|[Dd]isk (is )?full",
        "The server has no room for it: look at its volume and quota",
    ),
    (
        r"insufficient permission|unable to (create|write)|Read-only file system"
        r"|Permission denied",
        "The account that git runs as on the server may not write there: look at the owner"
        " of the repository's files",
    ),
    (
        r"cannot lock ref .{0,300}(exists; cannot create|there are still refs under)",
        "A branch there has a name that this one would be a folder of, or lie in: delete"
        " that branch, or name another spec.integration.branch in a new swarm",
    ),
    (
        r"cannot lock ref .{0,300}File exists",
        "A lock file of a git that was ended is left on the server: remove the file that it"
        " names",
    ),
    (
        r"hidden ref",
        "The server keeps branches of that name for itself (receive.hideRefs): name another"
        " spec.integration.branch in a new swarm",
    ),
    (
        r"currently checked out|refusing to update checked out branch",
        "The repository there is no bare one and has this branch checked out: check out"
        " another branch there, or push to a bare repository",
    ),
    (
        r"missing necessary objects|did not send all necessary|bad pack|inflate|index-pack"
        r" (failed|died)|missing (blob|tree|commit)",
        "The server lacks objects that it should have, or cannot read them: run `git fsck`"
        " there",
    ),
    (
        r"GH001|[Ll]arge files? detected|exceeds .{0,60}(file size|limit)|larger than"
        r"|[Ff]ile size limit|file is too large",
        "A file is larger than the server takes. It is in the history of the branch by"
        " now: raise the limit there, or begin a new swarm without that file",
    ),
    (
        r"without .workflows?. (permission|scope)",
        "The credentials may not change workflows: give them that right",
    ),
    (
        r"GH007|private email|[Cc]ommitter|not a verified email|[Ss]ign(ed|ature)"
        r"|[Cc]ommit message|Change-Id|prohibited by the pattern|is not a member of team",
        "The server has rules for commits that these do not meet: exempt the branch or"
        " the account from them",
    ),
    (
        r"[Bb]ranch name .{0,80}(pattern|follow|match)",
        "The server has rules for names of branches: name another spec.integration.branch in"
        " a new swarm",
    ),
    (
        r"GH006|GH013|[Pp]rotected|not allowed to (push|create)|hook declined"
        r"|[Rr]ule violations",
        "The branch is protected there, or a hook refuses it: allow the account to push"
        " it, or name another spec.integration.branch in a new swarm",
    ),
    (
        r"unpack(er)? (failed|error)",
        "The server could not take it apart, and its words do not say why: look at its log",
    ),
    (
        r"shallow update not allowed",
        "The repository there is a shallow copy and takes no new history",
    ),
)


def refusal(said: str) -> str:
    """What to do about a push that the server refused in these words; may be empty."""
    for pattern, advice in _REFUSED:
        if re.search(pattern, said):
            return advice
    return ""
