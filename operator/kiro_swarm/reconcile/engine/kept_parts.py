"""What the cache keeps of an object: what something is decided by, and no more. Pure.

Called for every object before it is remembered, and for each page of a list, by ``Context`` and
``watches``. Guarantees: what people write beside the fields that we read costs the operator no
memory, however much of it the API server stores: annotations (256 KiB of an object), labels,
finalizers and owners of a SwarmCommand, which whoever may only look can make any number of. An
object is given back as it was where there is nothing to leave out; it is never changed.
"""

from __future__ import annotations

from typing import Final, cast

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.api.meta import (
    ANNOTATION_ASKED_BY,
    ANNOTATION_DELETE_ANYWAY,
    ANNOTATION_FINISHED_WORK,
)
from kiro_swarm.cluster.resources import COMMANDS, ObjectT, Resource, StatusT
from kiro_swarm.reconcile.engine.command_facts import (
    FINISHED,
    phase_of,
    written_since,
)
from kiro_swarm.reconcile.objects.pods import TEMPLATE_HASH

#: The annotations that are read.
_READ: Final = {
    ANNOTATION_ASKED_BY,
    ANNOTATION_DELETE_ANYWAY,
    ANNOTATION_FINISHED_WORK,
    TEMPLATE_HASH,
}
#: What is read of the metadata of a SwarmCommand.
_OF_COMMANDS: Final = {
    *("name", "namespace", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp"),
}
#: What is kept of who wrote which field: that more than one did.
_WRITTEN: Final[list[object]] = [{}, {}]


def kept_parts(resource: Resource[ObjectT, StatusT], item: ObjectT) -> ObjectT:
    """What is kept of an object."""
    metadata: dict[str, object] = {**item["metadata"]}
    metadata.pop("managedFields", None)  # who wrote which field: half of an object
    if resource is COMMANDS:
        slim = _without_result(cast(SwarmCommand, item))
        metadata = {key: metadata[key] for key in metadata if key in _OF_COMMANDS}
        if not status_of(slim) and written_since(slim):
            metadata["managedFields"] = _WRITTEN
        return cast(ObjectT, {**slim, "metadata": metadata})
    notes = item["metadata"].get("annotations")
    if notes:
        metadata["annotations"] = {key: notes[key] for key in notes if key in _READ}
    return cast(ObjectT, {**item, "metadata": metadata})


def _without_result(command: SwarmCommand) -> SwarmCommand:
    """A SwarmCommand without what nobody reads of one that has its answer.

    Whoever says the same with its correlation id gets the result of the first: that is kept.
    """
    if phase_of(command) not in FINISHED or command["spec"].get("correlationId"):
        return command
    status = status_of(command).copy()
    status.pop("result", None)
    status.pop("partialResults", None)
    return {**command, "status": status}
