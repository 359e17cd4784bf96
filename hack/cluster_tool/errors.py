"""The one error of hack/cluster; its message names what is missing and the remedy."""

from __future__ import annotations


class ClusterError(Exception):
    """The cluster cannot do what was asked; ``cli`` prints it and exits with 1."""
