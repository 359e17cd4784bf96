"""What the operator is told when it starts. Fails fast: a bad value never becomes a swarm."""

from __future__ import annotations

from dataclasses import dataclass

_KNOWN_SCHEMES = frozenset({"https", "ssh", "http", "file"})


@dataclass(frozen=True)
class OperatorSettings:
    """Settings of one operator process."""

    image: str
    """Image of the runner and of the Jobs, and of agents that name none."""

    image_pull_policy: str = "IfNotPresent"
    """Pull policy of that image."""

    repository_schemes: frozenset[str] = frozenset({"https", "ssh"})
    """Schemes of repositories that are fetched; http and file only when listed."""

    network_policy: bool = True
    """Make a NetworkPolicy for the pods of each swarm: nothing may connect to them."""

    pod_annotations: tuple[str, ...] = ()
    """Annotations that swarms may give their pods beside ``policy.annotations.HARMLESS``:
    keys, and domains with ``/`` at the end."""

    sweep_seconds: float = 600.0
    """How often everything is listed again, to repair what a watch missed."""

    workers: int = 32
    """How many objects are reconciled at the same time."""

    status_interval_seconds: float = 0.5
    """Shortest time between two status writes of one KiroSwarm."""

    def __post_init__(self) -> None:
        unknown = set(self.repository_schemes) - _KNOWN_SCHEMES
        if unknown or not self.repository_schemes:
            raise ValueError(
                f"repository schemes: {', '.join(sorted(unknown)) or 'none given'}; "
                f"known are {', '.join(sorted(_KNOWN_SCHEMES))}"
            )
        if self.workers < 1:
            raise ValueError(f"workers: at least 1, not {self.workers}")
        if not self.image:
            raise ValueError("image: the operator must know the image of its own pods")


def scheme_refusal(settings: OperatorSettings, url: str) -> str:
    """Why a repository of this address is not used here; empty where it may be."""
    scheme = scheme_of(url)
    if scheme in settings.repository_schemes:
        return ""
    allowed = ", ".join(sorted(settings.repository_schemes))
    return (
        f"spec.repository.url: scheme '{scheme}' is not allowed here ({allowed}); "
        "the operator's setting repositorySchemes decides"
    )


def scheme_of(url: str) -> str:
    """Scheme of a repository address, in lower case."""
    return url.partition("://")[0].lower()
