"""kiro-swarm: a Kubernetes operator that runs a swarm of coding agents on one repository."""

__version__ = "0.1.0"
