"""The real operator as a process of its own, to be started, killed and stopped.

For the cluster tests and the benchmarks: what runs is the command line that the image
runs, with a kubeconfig instead of a service account.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Dict, Optional

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "kiro-swarm.test/image:1"
_MAIN = "from kiro_swarm.cli.main import main; main()"


class OperatorProcess:
    """``kiro-swarm operator``, started as often as one likes; its log goes on."""

    def __init__(
        self, kubeconfig: Path, log: Path, *options: str, measured: bool = False
    ) -> None:
        """``measured``: no coverage is taken of it, which would slow it down."""
        self._kubeconfig = kubeconfig
        self._measured = measured
        self._options = options
        self.log = log
        self.process: Optional[subprocess.Popen[bytes]] = None

    def start(self) -> None:
        """Start it; it lists and watches a second or two later."""
        assert self.process is None, "the operator runs already"
        environment = {
            **_environment(self._measured),
            "KUBECONFIG": str(self._kubeconfig),
            "PYTHONPATH": str(ROOT / "operator"),
        }
        arguments = ["operator", "--image", IMAGE, "--port", "0", *self._options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, *arguments],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing is finished."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        return self._end(signal.SIGTERM)

    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        """Everything that was logged so far, by all starts."""
        return self.log.read_text() if self.log.exists() else ""

    def _end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        assert process is not None, "the operator does not run"
        process.send_signal(number)
        return process.wait(30)


def _environment(measured: bool) -> Dict[str, str]:
    """Of this process, without what makes coverage follow where time is measured."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (measured and name.startswith("COVERAGE_"))
    }
