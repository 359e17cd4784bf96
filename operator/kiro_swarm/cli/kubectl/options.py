"""The options that every part of ``kubectl swarm`` takes, as kubectl has them.

``cluster_options`` adds them to a click command; their values arrive as keyword arguments
and become a ``Target``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Optional, TypeVar

import click
from typing_extensions import ParamSpec, TypedDict

from kiro_swarm.cli.kubectl.route import NAME

P = ParamSpec("P")
R = TypeVar("R")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_LONGEST = 86400.0


if TYPE_CHECKING:
    _Seconds = click.ParamType[float, object]
else:  # not generic in every version of click
    _Seconds = click.ParamType


class Duration(_Seconds):
    """Seconds from ``90s``, ``1m30s`` or ``90``, at most a day."""

    name = "duration"

    def convert(
        self,
        value: object,
        param: Optional[click.Parameter],
        ctx: Optional[click.Context],
    ) -> float:
        """The number of seconds, or click's error."""
        if isinstance(value, float):
            return value
        text = f"{value}s" if str(value).isdigit() else str(value)
        parts = _PART.findall(text)
        if "".join(number + unit for number, unit in parts) != text or not parts:
            self.fail(f"'{value}' is no duration such as 90s, 5m or 1h30m", param, ctx)
        seconds = math.fsum(float(number) * _UNITS[unit] for number, unit in parts)
        if seconds > _LONGEST:
            self.fail(f"'{value}' is longer than a day", param, ctx)
        return seconds


@dataclass(frozen=True)
class Target:
    """Which cluster, as whom, which namespace ('' for the context's) and swarm ('' too)."""

    namespace: str = ""
    context: Optional[str] = None
    kubeconfig: Optional[str] = None
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    request_timeout: float = 0.0
    swarm: str = ""


class ClusterOptions(TypedDict):
    """What click gives to a command that has these options: the fields of a ``Target``."""

    namespace: str
    context: Optional[str]
    kubeconfig: Optional[str]
    as_user: str
    as_groups: tuple[str, ...]
    request_timeout: float
    swarm: str


def _label(
    ctx: click.Context, param: click.Parameter, value: Optional[str]
) -> Optional[str]:
    """A name that becomes part of a URL: a DNS label, nothing else."""
    if value and not NAME.match(value):
        raise click.BadParameter("use a-z, 0-9 and '-' (max 63)", ctx, param)
    return value


_OPTIONS = (
    click.option(
        "-n",
        "--namespace",
        default="",
        callback=_label,
        help="Namespace of the swarm. Default: that of the context.",
    ),
    click.option(
        "--swarm",
        default="",
        callback=_label,
        help="Name of the swarm, also one that is called like a verb. Default: the "
        "only one in the namespace.",
    ),
    click.option("--context", default=None, help="Context of the kubeconfig."),
    click.option("--kubeconfig", default=None, help="Path of the kubeconfig."),
    click.option(
        "--as", "as_user", default="", metavar="USER", help="User to impersonate."
    ),
    click.option(
        "--as-group",
        "as_groups",
        multiple=True,
        metavar="GROUP",
        help="Group to impersonate; may be given several times.",
    ),
    click.option(
        "--request-timeout",
        type=Duration(),
        default="0",
        help="Longest time of a single request. Default: 30 seconds.",
    ),
)


def cluster_options(function: Callable[P, R]) -> Callable[P, R]:
    """Add them to a command, after its own."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def output_option(
    *choices: str, default: Optional[str] = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """``-o``: how the answer is printed."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(choices),
        default=default,
        help="For programs, or with more columns.",
    )
