"""SwarmCommand: one sentence of a person or a pipeline, its parsed action, its result.

Immutable once created: a command is a record. The operator carries it out exactly once
and writes the answer into the status.
"""

from __future__ import annotations

from typing import Any, Optional

from pydantic import ConfigDict, Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import Conditions, Model, Name, Timestamp, rules

CommandPhase = Literal["Pending", "Running", "Succeeded", "Failed", "Rejected"]


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
    ttl_seconds_after_finished: Optional[int] = Field(
        default=None,
        ge=0,
        le=31536000,
        description="Delete the command this long after it finished. Default: keep it.",
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


class SwarmCommandStatus(Model):
    """Where the command is."""

    observed_generation: int = Field(default=0, description="As everywhere.")
    phase: CommandPhase = Field(default="Pending", description="One word for people.")
    message: str = Field(default="", max_length=4096, description="The answer.")
    action: Optional[Action] = Field(default=None, description="What was understood.")
    result: Optional[Result] = Field(default=None, description="What came of it.")
    correlation_id: str = Field(
        default="", max_length=128, description="Of the spec, or the uid."
    )
    started_at: Optional[Timestamp] = Field(default=None, description="First sight.")
    finished_at: Optional[Timestamp] = Field(default=None, description="Answered.")
    conditions: Conditions = Field(
        default_factory=list, description="Complete or Failed, as a Job has them."
    )
