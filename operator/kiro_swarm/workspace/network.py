"""Certificates and proxies: how git gets to a server at all, whoever it is there.

Role: credentials.py, for each command that talks http.

Guarantees: the authorities of a swarm are trusted beside those of the image, not in their
place; the user name of a proxy is the only word of the secret that becomes part of a
variable, its password never does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional
from urllib.parse import quote, urlsplit

from kiro_swarm.workspace.errors import CredentialsIncomplete, InvalidUrl

_BEGIN = b"-----BEGIN CERTIFICATE-----"
#: Where Linux distributions keep what they trust.
_OF_THE_IMAGE = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


def trusting(private: Path, authorities: Optional[Path]) -> dict[str, str]:
    """Variables by which git trusts these authorities, too.

    Without any: what SSL_CERT_FILE names, for the curl of git does not read it. Raises
    CredentialsIncomplete: there is no such file, or no certificate in it.
    """
    of_the_image = os.environ.get("SSL_CERT_FILE", "")
    if authorities is None:
        return {"GIT_SSL_CAINFO": of_the_image} if of_the_image else {}
    more = authorities.read_bytes() if authorities.is_file() else b""
    if _BEGIN not in more:
        raise CredentialsIncomplete(
            "spec.repository.caBundle: the ConfigMap or Secret, or its key, does not exist"
            " or holds no certificate (PEM text)"
        )
    places = (Path(place) for place in (of_the_image, *_OF_THE_IMAGE) if place)
    known = next((place.read_bytes() for place in places if place.is_file()), b"")
    both = private / "authorities.pem"
    both.write_bytes(known.rstrip() + b"\n" + more)
    return {"GIT_SSL_CAINFO": str(both)}


def through(proxy: str, username: str) -> dict[str, str]:
    """Variables by which git goes through a proxy, as this user where there is one.

    Raises InvalidUrl.
    """
    if not proxy:
        return {}
    place = place_of(proxy)
    user = f"{quote(username, safe='')}@" if username else ""
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_1": "http.proxy",
        "GIT_CONFIG_VALUE_1": f"{urlsplit(proxy).scheme}://{user}{place}",
        # What the environment excepts from its own proxy says nothing of this one.
        "NO_PROXY": "",
        "no_proxy": "",
    }


def place_of(proxy: str) -> str:
    """Host and port of a proxy; InvalidUrl where the address has anything else."""
    try:
        parts = urlsplit(proxy)
        sound = parts.port is None or parts.port > 0
    except ValueError:
        sound = False
    if (
        not sound
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or parts.path.strip("/")
        or parts.query
    ):
        raise InvalidUrl(
            "spec.repository.proxy has to be http://HOST:PORT or https://HOST:PORT; a user"
            ' name and password go into the keys "proxy-username" and "proxy-password" of'
            " the Secret that spec.repository.credentialsSecret names"
        )
    return parts.netloc
