"""How many bytes have gone over the TCP connections of this network namespace, by socket.

Role: ``silence.py`` asks it: what a process receives by a socket is in no count of /proc.

Guarantees: nothing but the kernel is asked; it needs no right. ``transferred`` is None where the
kernel does not say it (a sandbox such as gVisor), never a wrong figure.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Dict, Optional

# What follows is from linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h and linux/tcp.h.
_NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_INFO = 2
_HEADER = struct.Struct("=IHHII")
#: Family, protocol, what is asked for, padding, states (all), an empty identity.
_ASK = struct.Struct("=BBBxI48x")
_ALL_STATES = 0xFFFFFFFF
#: Of inet_diag_msg: its last field is the inode.
_MESSAGE, _INODE_AT = 72, 68
_ATTRIBUTE = struct.Struct("=HH")
#: In tcp_info: bytes that the other end has confirmed, and bytes that came from it.
_BYTES_AT, _BYTES = 120, struct.Struct("=QQ")
_ANSWER_BYTES = 1 << 16
_SECONDS = 5.0


def transferred() -> Optional[Dict[int, int]]:
    """Inode of each TCP socket -> the bytes that it has sent and received."""
    found: Dict[int, int] = {}
    try:
        for family in (socket.AF_INET, socket.AF_INET6):
            found.update(_dump(family))
    except (OSError, struct.error):
        return None
    return found


def _dump(family: int) -> Iterator[tuple[int, int]]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as ask:
        ask.settimeout(_SECONDS)
        body = _ASK.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), _ALL_STATES)
        size = _HEADER.size + len(body)
        ask.sendto(_HEADER.pack(size, _BY_FAMILY, _REQUEST_DUMP, 1, 0) + body, (0, 0))
        while True:
            answer, at = ask.recv(_ANSWER_BYTES), 0
            while at < len(answer):
                length, kind, *_ = _HEADER.unpack_from(answer, at)
                if kind == _DONE:
                    return
                if kind == _ERROR or length < _HEADER.size:
                    raise OSError("the kernel does not list its sockets")
                yield from _read(answer[at + _HEADER.size : at + length])
                at += _aligned(length)


def _read(message: bytes) -> Iterator[tuple[int, int]]:
    (inode,) = struct.unpack_from("=I", message, _INODE_AT)
    at = _MESSAGE
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            return
        info = message[at + _ATTRIBUTE.size : at + length]
        if kind == _INFO and len(info) >= _BYTES_AT + _BYTES.size:
            yield inode, sum(_BYTES.unpack_from(info, _BYTES_AT))
        at += _aligned(length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
