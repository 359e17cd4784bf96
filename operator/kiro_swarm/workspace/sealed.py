"""How a file is encrypted, by what it begins with. Pure.

Role: encrypted.py asks of what the branch has, and of what an attempt brings.

Guarantees: linear in the length of a text. A few bytes that any file may begin with (packets of
PGP) say something of a file alone that is to be encrypted, or has the name of one.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Optional

_BEGINS: Final = (
    ("git-crypt", re.compile(rb"\0GITCRYPT\0")),
    ("openssl", re.compile(rb"U2FsdGVkX1|Salted__")),
    ("age", re.compile(rb"age-encryption\.org/|-----BEGIN AGE ENCRYPTED")),
    ("PGP", re.compile(rb"-----BEGIN PGP MESSAGE")),
    ("strongbox", re.compile(rb"# STRONGBOX")),
    ("Ansible Vault", re.compile(rb"\$ANSIBLE_VAULT;")),
)
#: Packets of PGP that hold the key of a session.
_PACKETS: Final = re.compile(
    rb"\x84.\x03|\x85..\x03|\xc1.{1,2}\x03|\x8c.\x04", re.DOTALL
)
_PACKED: Final = "packets of PGP"
#: What sops, which encrypts values, writes anew into a file each time that it encrypts some.
_SOPS: Final = re.compile(rb"mac[\"']?[ \t]*[:=][ \t]*[\"']?(ENC\[[^\[\]\n]*\])")
_VALUE: Final = b"ENC["
_OF_PGP: Final = (b".gpg", b".pgp")
#: What sops writes; elsewhere (in a manual, in a test) it is quoted.
_OF_SOPS: Final = (b".yaml", b".yml", b".json", b".env", b".ini", b".enc", b".sops")


class Seal(NamedTuple):
    """By what it is encrypted; of sops what is new each time, and how many values are.

    ``by`` is empty for an empty file, which tells nothing.
    """

    by: str
    macs: tuple[bytes, ...] = ()
    values: int = 0


def seal_of(text: bytes) -> Optional[Seal]:
    """None of a readable text."""
    if not text:
        return Seal("")
    for name, begins in _BEGINS:
        if begins.match(text):
            return Seal(name)
    if _PACKETS.match(text):
        return Seal(_PACKED)
    macs = tuple(_SOPS.findall(text))
    return Seal("sops", macs, text.count(_VALUE)) if macs else None


def is_secret(seal: Optional[Seal], path: bytes) -> bool:
    """Whether a file is surely kept encrypted, whatever attributes say."""
    if seal is None or not seal.by:
        return False
    name = path.rpartition(b"/")[2].lower()
    if seal.by == _PACKED:
        return name.endswith(_OF_PGP)
    return seal.by != "sops" or b"." not in name or name.endswith(_OF_SOPS)


def opens(new: Optional[Seal], old: Seal) -> bool:
    """Whether who brings ``new`` has opened what was ``old``."""
    if new is None:
        return True
    # sops can leave values alone that it does not encrypt; what it encrypted is all there then.
    return bool(new.macs) and new.macs == old.macs and new.values < old.values
