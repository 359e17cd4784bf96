"""Building blocks of the four kinds: the model base, bounded strings, conditions.

Wire format is camelCase; unknown fields are refused, so a misspelt field is an
error in our own tests and not a silent no-op.
"""

from __future__ import annotations

from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import Annotated, Literal, Required, TypedDict

#: RFC 3339 UTC with microseconds, as ``2026-11-22T10:00:00.000000Z``.
Timestamp = Annotated[
    str, Field(max_length=64, json_schema_extra={"format": "date-time"})
]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    ),
]
ObjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
    ),
]
Sha = Annotated[str, Field(max_length=64, pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")]
Argument = Annotated[str, Field(max_length=4096)]
Quantity = Annotated[
    str,
    Field(
        max_length=32,
        pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$",
    ),
]
#: What an instance can do and a task can ask for, in free words; case does not count.
Capability = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[^\s,]([^,\x00-\x1f]*[^\s,])?$")
]
Command = Annotated[list[Argument], Field(min_length=1, max_length=64)]


class Model(BaseModel):
    """Base of every API model: camelCase on the wire, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
    )


#: Of a TypedDict: unknown fields are refused where one is validated, as of a ``Model``.
STRICT = ConfigDict(extra="forbid")


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """``x-kubernetes-validations`` from (CEL rule, message) pairs, for a schema."""
    return {
        "x-kubernetes-validations": [
            {"rule": rule, "message": message} for rule, message in pairs
        ]
    }


def not_yet(field: str, instead: str) -> dict[str, Any]:
    """A rule that refuses a field whose feature is not there yet.

    A field that does nothing must not be accepted silently: whoever sets it reads
    in kubectl's answer that it does nothing, and what to use today.
    """
    return rules(("false", f"{field} is not available in this version: {instead}"))


@with_config(STRICT)
class Condition(TypedDict, total=False):
    """A Kubernetes condition (same fields and meaning as ``metav1.Condition``)."""

    type: Required[
        Annotated[str, Field(max_length=64, description="Name of the condition.")]
    ]
    status: Required[
        Annotated[
            Literal["True", "False", "Unknown"],
            Field(description="Whether the condition holds."),
        ]
    ]
    reason: Required[
        Annotated[
            str,
            Field(
                max_length=128,
                pattern=r"^[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?$",
                description="Why, as one CamelCase word for programs.",
            ),
        ]
    ]
    message: Annotated[
        str, Field(max_length=4096, description="Why, in words for people.")
    ]
    lastTransitionTime: Required[
        Annotated[Timestamp, Field(description="When the status last changed.")]
    ]
    observedGeneration: Annotated[
        Optional[int], Field(description="Generation of the spec that this is about.")
    ]


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=16,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    ),
]


class SecretReference(Model):
    """A Secret of the same namespace."""

    name: ObjectName = Field(description="Name of the Secret.")


class ConfigMapKey(Model):
    """One key of a ConfigMap of the same namespace."""

    name: ObjectName = Field(description="Name of the ConfigMap.")
    key: str = Field(
        default="tasks.md",
        min_length=1,
        max_length=253,
        pattern=r"^[-._a-zA-Z0-9]+$",
        description="Key that holds the text.",
    )


class EnvironmentVariable(Model):
    """A plain environment variable of the agent process."""

    name: str = Field(
        max_length=128,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Name of the variable.",
    )
    value: str = Field(default="", max_length=32768, description="Its value.")
