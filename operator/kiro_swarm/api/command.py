"""SwarmCommand: one sentence of a person or a pipeline, its parsed action, its result.

Immutable once created: a command is a record. The operator carries it out exactly once
and writes the answer into the status.
"""

from __future__ import annotations

from typing import Any, Optional

from pydantic import ConfigDict, Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import Conditions, Model, Name, Timestamp, rules

CommandPhase = Literal[
    "Pending", "Running", "Succeeded", "Failed", "Rejected", "Cancelled"
]


class SwarmCommandSpec(Model):
    """The sentence and the swarm it is said to."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("self == oldSelf", "a command is immutable: create another one")
        )
    )
    swarm: Name = Field(description="Name of the KiroSwarm.")
    command: str = Field(
        min_length=1,
        max_length=4096,
        description="The sentence: verb, noun, modifiers, parameters.",
        json_schema_extra=rules(
            (
                r"!self.matches(r'[\x00-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}]')",
                "must not contain control characters or direction overrides",
            )
        ),
    )
    correlation_id: Optional[str] = Field(
        default=None,
        max_length=128,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="Ties the command to other records. Default: its uid.",
    )
    dry_run: bool = Field(
        default=False,
        description="Say what the command would do, and change nothing.",
    )
    timeout_seconds: int = Field(
        default=600,
        ge=1,
        le=86400,
        description="Longest time to wait for the outcome; the command then fails with "
        "what was reached until then.",
    )
    ttl_seconds_after_finished: Optional[int] = Field(
        default=None,
        ge=0,
        le=31536000,
        description="Delete the command this long after it finished. Default: keep it. "
        "Whoever applies a manifest again and again keeps it: a command that is made "
        "anew is carried out anew.",
    )
    requested_by: str = Field(
        default="",
        max_length=512,
        description="User name of whoever gives the command. The admission policy lets "
        "nobody write another name than their own.",
    )


class Action(Model):
    """The sentence as the parser understood it (the seed's StructuredAction)."""

    verb: str = Field(max_length=64, description="What to do.")
    noun: str = Field(max_length=64, description="To what.")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Arguments by name."
    )
    modifiers: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=16, description="How."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="key=value pairs, and what the operator fixed.",
    )
    normalized: str = Field(max_length=4096, description="The canonical sentence.")
    permission: str = Field(
        default="", max_length=64, description="Verb on kiroswarms that it needs."
    )


class Result(Model):
    """What came of it (the seed's ActionResult)."""

    success: bool = Field(description="Whether it was done.")
    message: str = Field(default="", max_length=4096, description="The answer.")
    data: dict[str, Any] = Field(
        default_factory=dict, description="The answer for programs."
    )
    execution_seconds: float = Field(
        default=0.0, ge=0, description="Time from first sight to the answer."
    )
    side_effects: list[Annotated[str, Field(max_length=256)]] = Field(
        default_factory=list, max_length=64, description="What was changed."
    )


class PartialResult(Model):
    """What came of a command for one of the objects that it is about."""

    target: str = Field(max_length=253, description="Name of the instance or task.")
    done: bool = Field(description="Whether nothing is left to do here.")
    success: bool = Field(description="Whether it was done.")
    message: str = Field(default="", max_length=256, description="What happened.")


class Change(Model):
    """One write of a command, recorded before it is done."""

    object: str = Field(max_length=316, description="`resource/name` of what changes.")
    says: str = Field(max_length=256, description="What is changed, for people.")
    before: str = Field(
        default="", max_length=256, description="The old values as JSON, maybe cut."
    )
    after: str = Field(
        default="", max_length=256, description="The new values as JSON, maybe cut."
    )


class DataReference(Model):
    """Where data lies that is too large for a status."""

    config_map: str = Field(max_length=253, description="Name of the ConfigMap.")
    key: str = Field(max_length=253, description="Key in it.")
    size_bytes: int = Field(ge=0, description="Length of the data.")
    truncated: bool = Field(
        default=False, description="Whether the data was cut to fit."
    )


class AuditReference(Model):
    """The line of the audit log about this command."""

    sequence: int = Field(ge=1, description="Number of the line, from 1.")
    hash: str = Field(
        max_length=64, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the line."
    )


class SwarmCommandStatus(Model):
    """Where the command is."""

    observed_generation: int = Field(default=0, description="As everywhere.")
    phase: CommandPhase = Field(default="Pending", description="One word for people.")
    message: str = Field(default="", max_length=4096, description="The answer.")
    action: Optional[Action] = Field(default=None, description="What was understood.")
    result: Optional[Result] = Field(default=None, description="What came of it.")
    reason: str = Field(
        default="", max_length=64, description="The same in one word, for programs."
    )
    correlation_id: str = Field(
        default="", max_length=128, description="Of the spec, or the uid."
    )
    requested_by: str = Field(
        default="", max_length=512, description="Who gave the command, if it says so."
    )
    partial_results: list[PartialResult] = Field(
        default_factory=list,
        max_length=64,
        description="Results by instance or task, while it runs and afterwards.",
    )
    changes: list[Change] = Field(
        default_factory=list,
        max_length=64,
        description="What it changes: written first, so that nothing is done unseen.",
    )
    data_ref: Optional[DataReference] = Field(
        default=None, description="Where the larger part of the answer is."
    )
    audit: Optional[AuditReference] = Field(
        default=None, description="Line of the audit log, for a command that changes."
    )
    started_at: Optional[Timestamp] = Field(default=None, description="First sight.")
    finished_at: Optional[Timestamp] = Field(default=None, description="Answered.")
    conditions: Conditions = Field(
        default_factory=list,
        description="Complete or Failed, as a Job has them: see the documentation.",
    )
