"""SwarmCommand: one sentence of a person or a pipeline, its parsed action, its result.

Immutable once created: a command is a record. The operator carries it out exactly once
and writes the answer into the status.
"""

from __future__ import annotations

from typing import Optional

from pydantic import ConfigDict, Field, with_config
from typing_extensions import Annotated, Literal, Required, TypedDict

from kiro_swarm.api.common import STRICT, Conditions, Name, Timestamp, rules
from kiro_swarm.api.kubernetes import KubernetesObject

CommandPhase = Literal[
    "Pending", "Running", "Succeeded", "Failed", "Rejected", "Cancelled"
]


@with_config(
    ConfigDict(
        extra="forbid",
        json_schema_extra=rules(
            ("self == oldSelf", "a command is immutable: create another one")
        ),
    )
)
class SwarmCommandSpec(TypedDict, total=False):
    """The sentence and the swarm it is said to."""

    swarm: Required[Annotated[Name, Field(description="Name of the KiroSwarm.")]]
    command: Required[
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=4096,
                description="The sentence: verb, noun, modifiers, parameters.",
                json_schema_extra=rules(
                    (
                        r"!self.matches(r'[\x00-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}]')",
                        "must not contain control characters or direction overrides",
                    )
                ),
            ),
        ]
    ]
    correlationId: Annotated[
        Optional[str],
        Field(
            max_length=128,
            pattern=r"^[A-Za-z0-9._:-]+$",
            description="Ties the command to other records, and makes it idempotent: who "
            "says the same again with it, dry or not as before, gets the first answer. "
            "Default: its uid.",
        ),
    ]
    dryRun: Annotated[
        bool,
        Field(
            default=False,
            description="Say what the command would do, and change nothing.",
        ),
    ]
    timeoutSeconds: Annotated[
        int,
        Field(
            default=600,
            ge=1,
            le=86400,
            description="Longest time to wait for the outcome; the command then fails with "
            "what was reached until then.",
        ),
    ]
    ttlSecondsAfterFinished: Annotated[
        Optional[int],
        Field(
            ge=0,
            le=31536000,
            description="Delete the command this long after it finished. Default: keep it; "
            "one that only looked, tried dry or was no sentence for a day. Of those the last "
            "500 of a requester in a namespace stay, the last 20 with a long answer "
            "(`status.dataRef`). Where a manifest is applied again and again, keep it: a "
            "command that is made anew is carried out anew.",
        ),
    ]
    requestedBy: Annotated[
        str,
        Field(
            default="",
            max_length=512,
            description="User name of the person who gives the command. The admission policy lets "
            "nobody write another name than their own.",
        ),
    ]


@with_config(STRICT)
class Action(TypedDict, total=False):
    """The sentence as the parser understood it (the seed's StructuredAction)."""

    verb: Required[Annotated[str, Field(max_length=64, description="The verb.")]]
    noun: Required[Annotated[str, Field(max_length=64, description="The noun.")]]
    arguments: Annotated[dict[str, object], Field(description="Arguments by name.")]
    modifiers: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=16, description="The modifiers."),
    ]
    parameters: Annotated[
        dict[str, object],
        Field(description="key=value pairs, and what the operator pinned."),
    ]
    normalized: Required[
        Annotated[str, Field(max_length=4096, description="The canonical sentence.")]
    ]
    permission: Annotated[
        str, Field(max_length=64, description="Verb on kiroswarms that it needs.")
    ]


@with_config(STRICT)
class Result(TypedDict, total=False):
    """What came of it (the seed's ActionResult)."""

    success: Required[Annotated[bool, Field(description="Whether it was done.")]]
    message: Annotated[str, Field(max_length=4096, description="The answer.")]
    data: Annotated[dict[str, object], Field(description="The answer for programs.")]
    executionSeconds: Annotated[
        float,
        Field(
            ge=0, description="Time from when the operator first saw it to the answer."
        ),
    ]
    sideEffects: Annotated[
        list[Annotated[str, Field(max_length=256)]],
        Field(max_length=64, description="What was changed."),
    ]


@with_config(STRICT)
class PartialResult(TypedDict, total=False):
    """What came of a command for one of the objects that it is about."""

    target: Required[
        Annotated[
            str, Field(max_length=253, description="Name of the instance or task.")
        ]
    ]
    done: Required[
        Annotated[bool, Field(description="Whether nothing is left to do here.")]
    ]
    success: Required[Annotated[bool, Field(description="Whether it was done.")]]
    message: Annotated[str, Field(max_length=256, description="What happened.")]


@with_config(STRICT)
class Change(TypedDict, total=False):
    """One write of a command, recorded before it is done."""

    object: Required[
        Annotated[
            str, Field(max_length=316, description="`resource/name` of what changes.")
        ]
    ]
    says: Required[
        Annotated[
            str, Field(max_length=256, description="What is changed, for people.")
        ]
    ]
    before: Annotated[
        str, Field(max_length=256, description="The old values as JSON, maybe cut.")
    ]
    after: Annotated[
        str, Field(max_length=256, description="The new values as JSON, maybe cut.")
    ]


@with_config(STRICT)
class DataReference(TypedDict, total=False):
    """Where data lies that is too large for a status."""

    configMap: Required[
        Annotated[str, Field(max_length=253, description="Name of the ConfigMap.")]
    ]
    key: Required[Annotated[str, Field(max_length=253, description="Key in it.")]]
    sizeBytes: Required[Annotated[int, Field(ge=0, description="Length of the data.")]]
    truncated: Annotated[bool, Field(description="Whether the data was cut to fit.")]


@with_config(STRICT)
class AuditReference(TypedDict, total=False):
    """The line of the audit log about this command."""

    sequence: Required[
        Annotated[int, Field(ge=1, description="Number of the line, from 1.")]
    ]
    hash: Required[
        Annotated[
            str,
            Field(
                max_length=64,
                pattern=r"^[0-9a-f]{64}$",
                description="SHA-256 of the line.",
            ),
        ]
    ]


@with_config(STRICT)
class SwarmCommandStatus(TypedDict, total=False):
    """Where the command is."""

    observedGeneration: Annotated[
        int, Field(description="Generation of the spec this is about.")
    ]
    phase: Annotated[CommandPhase, Field(description="One word for people.")]
    message: Annotated[str, Field(max_length=4096, description="The answer.")]
    action: Annotated[Optional[Action], Field(description="What was understood.")]
    result: Annotated[Optional[Result], Field(description="What came of it.")]
    reason: Annotated[
        str, Field(max_length=64, description="The same in one word, for programs.")
    ]
    correlationId: Annotated[
        str, Field(max_length=128, description="Of the spec, or the uid.")
    ]
    requestedBy: Annotated[
        str, Field(max_length=512, description="Who gave the command, if it says so.")
    ]
    partialResults: Annotated[
        list[PartialResult],
        Field(
            max_length=64,
            description="Results by instance or task, while it runs and afterwards.",
        ),
    ]
    changes: Annotated[
        list[Change],
        Field(
            max_length=64,
            description="What it changes: written first, so that nothing is done unseen.",
        ),
    ]
    dataRef: Annotated[
        Optional[DataReference],
        Field(description="Where the larger part of the answer is."),
    ]
    audit: Annotated[
        Optional[AuditReference],
        Field(description="Line of the audit log, for a command that changes."),
    ]
    startedAt: Annotated[
        Optional[Timestamp], Field(description="When the operator first saw it.")
    ]
    finishedAt: Annotated[
        Optional[Timestamp], Field(description="When it was answered.")
    ]
    creationVersion: Annotated[
        str,
        Field(
            max_length=20,
            pattern=r"^[0-9]{1,20}$",
            description="Its resourceVersion before anything was written into it: the order in "
            "which commands were created, whatever clocks say.",
        ),
    ]
    swarmUid: Annotated[
        str,
        Field(
            max_length=64,
            description="Uid of the KiroSwarm that it was begun for: another one of the same "
            "name does not go on with it.",
        ),
    ]
    conditions: Annotated[
        Conditions,
        Field(
            description="Complete or Failed, as a Job has them: see the documentation."
        ),
    ]


class SwarmCommand(KubernetesObject, total=False):
    """A SwarmCommand as it is read and written."""

    spec: Required[SwarmCommandSpec]
    status: SwarmCommandStatus
