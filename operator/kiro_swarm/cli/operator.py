"""``kiro-swarm operator``: options from flags and environment, then the operator."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Optional

import click

from kiro_swarm.host.operator import ProcessOptions, run_operator
from kiro_swarm.reconcile.settings import OperatorSettings


@click.command()
@click.option("--image", envvar="KIRO_IMAGE", required=True, help="Image of all pods.")
@click.option(
    "--image-pull-policy",
    envvar="KIRO_IMAGE_PULL_POLICY",
    type=click.Choice(["Always", "IfNotPresent", "Never"]),
    default="IfNotPresent",
    show_default=True,
    help="Pull policy of that image.",
)
@click.option(
    "--repository-schemes",
    envvar="KIRO_REPOSITORY_SCHEMES",
    default="https,ssh",
    show_default=True,
    help="Schemes of repositories that are fetched; http and file only when listed.",
)
@click.option(
    "--pod-annotations",
    envvar="KIRO_POD_ANNOTATIONS",
    default="",
    help="Further annotations that swarms may give their pods: keys, or domains such as "
    "example.com/, with commas between them.",
)
@click.option(
    "--network-policy/--no-network-policy",
    envvar="KIRO_NETWORK_POLICY",
    default=True,
    show_default=True,
    help="Make a NetworkPolicy for each swarm: nothing connects to its pods.",
)
@click.option(
    "--leader-namespace",
    envvar="KIRO_LEADER_NAMESPACE",
    default=None,
    help="Elect a leader by a Lease in this namespace. Default: no election.",
)
@click.option(
    "--identity",
    envvar="KIRO_IDENTITY",
    default=socket.gethostname,
    help="Name of this process in that Lease. Default: the host name.",
)
@click.option(
    "--port",
    envvar="KIRO_PORT",
    default=8080,
    show_default=True,
    help="Port of /healthz and /readyz; 0 for none.",
)
@click.option(
    "--workers",
    envvar="KIRO_WORKERS",
    default=32,
    show_default=True,
    help="How many objects are reconciled at the same time.",
)
@click.option(
    "--log-level",
    envvar="KIRO_LOG_LEVEL",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
    default="INFO",
    show_default=True,
    help="DEBUG, INFO, WARNING or ERROR.",
)
def operator(
    image: str,
    image_pull_policy: str,
    repository_schemes: str,
    pod_annotations: str,
    network_policy: bool,
    leader_namespace: Optional[str],
    identity: str,
    port: int,
    workers: int,
    log_level: str,
) -> None:
    """Run the operator until SIGTERM."""
    logging.basicConfig(
        level=log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # kopf tells of every event at INFO; what matters is told by the reconciles.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    try:
        settings = OperatorSettings(
            image=image,
            image_pull_policy=image_pull_policy,
            repository_schemes=frozenset(
                part.strip() for part in repository_schemes.split(",") if part.strip()
            ),
            pod_annotations=tuple(
                part.strip() for part in pod_annotations.split(",") if part.strip()
            ),
            network_policy=network_policy,
            workers=workers,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    options = ProcessOptions(
        port=port, identity=identity, leader_namespace=leader_namespace
    )
    asyncio.run(run_operator(settings, options))
