"""What of an address nobody is told: who signs in, with what, and what it asks for.

Called wherever a text goes to a person: errors.py does so with every message, remote.py with
the address of a swarm. Guarantees: linear in the text, whatever it is, and of one of any
length only a piece is looked at (``redact_start``, ``redact_end``); where an address is not
one, too much is hidden rather than too little.
"""

from __future__ import annotations

import re

HIDDEN = "***"
#: Bounded, for each place in a text may begin one.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{0,20}"
#: Of a user name with its password, and of a path; signed tokens have up to 2,000 characters.
_MOST = 2500
#: Of a long text only so much is looked through, and what is near the cut is not told: an
#: address that the cut goes through cannot be seen to be one.
_LOOKED_AT = 10_000
_CUT = _MOST + 100
#: Up to the last "@" of a word: a password may hold "/", "?", "#" and "@" itself.
_USER = re.compile(rf"({_SCHEME}:/{{1,3}}|(?<![:\w])//)[^\s'\"]{{0,{_MOST}}}@")
_QUERY = re.compile(rf"({_SCHEME}://[^\s'\"?#;]{{0,{_MOST}}}[?#;])[^\s'\"]+")
_BEGINNING = re.compile(r"(?:https?|ssh|git|file|ftps?):/{0,2}|" + _SCHEME + "://")


def redact(text: str) -> str:
    """The text without user names, passwords and queries of addresses."""
    return _QUERY.sub(rf"\1{HIDDEN}", _USER.sub(rf"\1{HIDDEN}@", text))


def redact_start(text: str, most: int) -> str:
    """The beginning of a text of any length, redacted: at most so many characters."""
    if len(text) <= _LOOKED_AT:
        return redact(text)[:most]
    return redact(text[:_LOOKED_AT])[:-_CUT][:most]


def redact_end(text: str, most: int) -> str:
    """The same of its end."""
    if len(text) <= _LOOKED_AT:
        return redact(text)[-most:]
    # What an address asks for may be longer than that: it ends where the word does.
    _, _, rest = redact(text[-_LOOKED_AT:])[_CUT:].partition(" ")
    return rest[-most:]


def redact_address(address: str) -> str:
    """An address alone, which need not be a valid one, and may hold blanks.

    Of ``git@host:path`` the user stays: it is everybody's.
    """
    beginning = _BEGINNING.match(address)
    start = beginning.group() if beginning else ""
    user, at, rest = address[len(start) :].rpartition("@")
    if at and (start or user != "git"):
        user = HIDDEN
    asks = re.search("[?#;]", rest)
    if asks:
        rest = f"{rest[: asks.end()]}{HIDDEN}"
    return f"{start}{user}{at}{rest}"
