"""Talks to the supervisor of a local cluster.

Called by the local provider. A cluster runs exactly when its supervisor answers: there
is no process id on disk that could be stale.
"""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any, Dict, List

from hack.cluster_tool.errors import ClusterError

_TIMEOUT = 5.0


class Supervisor:
    """The supervisor that listens on a socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def answers(self) -> bool:
        """Whether the cluster runs."""
        try:
            self.ask("status")
        except ClusterError:
            return False
        return True

    def pid(self) -> int:
        """Its process id as the host sees it; raises ClusterError when it is gone."""
        with self._connect() as connection:
            size = struct.calcsize("3i")
            raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
            # The socket is owned by who called listen(), seen from our namespace.
            connection.sendall(b'{"op": "status"}\n')
            connection.makefile("rb").readline()
        return int(struct.unpack("3i", raw)[0])

    def components(self) -> List[Dict[str, Any]]:
        """Name, state and restarts of each component."""
        found: List[Dict[str, Any]] = self.ask("status")["components"]
        return found

    def ask(self, operation: str, **arguments: Any) -> Dict[str, Any]:
        """One request; raises ClusterError when it is refused or nobody answers."""
        with self._connect() as connection:
            request = {"op": operation, **arguments}
            try:
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(connection.makefile("rb").readline())
            except (OSError, ValueError) as error:
                raise ClusterError(f"the supervisor did not answer: {error}") from error
        if "error" in answer:
            raise ClusterError(str(answer["error"]))
        return dict(answer)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            raise ClusterError(
                f"the cluster does not run ({error.strerror})"
            ) from error
        return connection
