"""Where a server that says "elsewhere" wants us to go, and whether we go there.

Role: remote.py, when a request over http was answered with a redirect.

git itself follows none (gitconfig): it would ask for credentials for the new address, and
push there. Many servers redirect to the same repository with ``.git`` behind its name, so
that much is followed, by a request for the full address.

Guarantees: the question is asked without credentials; what is called the same place has
the same scheme, host, port and path, but for ``.git`` and a slash at the end.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from kiro_swarm.workspace.errors import GitTimeout
from kiro_swarm.workspace.git import Git

_LOCATION = re.compile(r"Recv header: location: (\S{1,2048})", re.IGNORECASE)
_SECONDS = 60.0
_PORTS = {"http": 80, "https": 443}
_ASKED = "/info/refs"


def where_to(git: Git, url: str) -> str:
    """The address of a repository that ``url`` redirects to; empty when it is not told."""
    with tempfile.TemporaryDirectory(prefix="kiro-redirect-") as folder:
        trace = Path(folder, "trace")
        asking = git.using(
            {"GIT_TRACE_CURL": str(trace), "GIT_TRACE_CURL_NO_DATA": "1"}
        )
        try:
            asking.run(
                *("ls-remote", "--end-of-options", url), ok=range(256), seconds=_SECONDS
            )
        except GitTimeout:
            return ""
        said = trace.read_text("utf-8", "replace") if trace.is_file() else ""
    found = _LOCATION.search(said)
    if found is None:
        return ""
    location: str = found[1]
    try:
        target = urljoin(f"{url.rstrip('/')}{_ASKED}", location)
    except ValueError:
        return ""
    return target.split(_ASKED, 1)[0].split("?", 1)[0].split("#", 1)[0]


def same_place(url: str, target: str) -> bool:
    """Whether credentials for ``url`` were given for ``target``, too."""
    try:
        return _place(urlsplit(url)) == _place(urlsplit(target))
    except ValueError:
        return False


def _place(parts: SplitResult) -> tuple[str, str, str, int, str]:
    path = parts.path.rstrip("/")
    path = path[: -len(".git")] if path.endswith(".git") else path
    user, _, _ = parts.netloc.rpartition("@")
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return (parts.scheme, user, parts.hostname or "", port, path)
