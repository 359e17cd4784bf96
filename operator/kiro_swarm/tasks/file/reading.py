"""A published graph from its JSON, piece by piece. Pure.

Called through ``wire``. The text comes from a ConfigMap, so it may be as long as one of tens of
thousands of tasks and say anything; whoever reads it has an event loop to keep turning. The
lists of the graph are found first, which reads nothing; then a few of their items at a time are
read and checked by the same types as ever, and what is left is read as a graph without any.
Guarantees: no piece is of more than some milliseconds for what is ever published; what is
refused is refused at the first item that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pydantic import FailFast, TypeAdapter, ValidationError
from typing_extensions import Annotated, TypeVar

from kiro_swarm.api.bounded_json import BoundsError, Mark, scan
from kiro_swarm.api.faults import first_fault
from kiro_swarm.api.graph import (
    MAX_REMARKS,
    MAX_TASKS,
    PublishedDiagnostic,
    PublishedGraph,
    PublishedGroup,
    PublishedTask,
)
from kiro_swarm.api.pieces import Pieces
from kiro_swarm.tasks.file.texts import checking_sizes
from kiro_swarm.tasks.plan.graph import TaskGraph

T = TypeVar("T")
_TASKS = TypeAdapter(Annotated[list[PublishedTask], FailFast()])
_GROUPS = TypeAdapter(Annotated[list[PublishedGroup], FailFast()])
_REMARKS = TypeAdapter(Annotated[list[PublishedDiagnostic], FailFast()])
_MOST: Final = {"tasks": MAX_TASKS, "groups": MAX_TASKS, "diagnostics": MAX_REMARKS}
#: Bytes and values that are read at a time. One item may be longer, up to all of its texts, and
#: has no more values than this: its own lists have some thousands at most.
_BYTES: Final = 32 * 1024
_VALUES: Final = 4000
#: Edges after which others get a turn.
_EDGES: Final = 10_000


def wrong_at(fault: object) -> ValueError:
    """The error that names what is wrong."""
    return ValueError(f"the published task graph is wrong at {fault}")


def reading(
    text: bytes, *, depth: int, values: int, members: int, longest: int
) -> Pieces[PublishedGraph]:
    """The graph in ``text``.

    Raises ValueError that names the field for a wrong shape, what is beyond the bounds of
    ``bounded_json``, an id that occurs twice, a dependency on nothing, and a cycle.
    """
    outline = _Outline()
    marks = scan(
        text.decode("latin-1"),
        depth=depth,
        values=values,
        members=members,
        longest=longest,
        level=2,
    )
    try:
        for mark in marks:
            if mark is None:
                yield
            else:
                outline.note(mark, text)
    except BoundsError as problem:
        raise wrong_at(f"its start: {problem}") from None
    try:
        graph = PublishedGraph.model_validate_json(outline.rest(text))
    except ValidationError as problem:
        raise wrong_at(first_fault(problem, whole="its start")) from None
    tasks = yield from _listed(text, outline, "tasks", _TASKS)
    groups = yield from _listed(text, outline, "groups", _GROUPS)
    remarks = yield from _listed(text, outline, "diagnostics", _REMARKS)
    graph = graph.model_copy(
        update={"tasks": tasks, "groups": groups, "diagnostics": remarks}
    )
    for number, task in enumerate(tasks):
        if task.get("order") != number:
            raise wrong_at(f"tasks.{number}.order: it is not the place of the task")
    yield
    if len({task["id"] for task in tasks}) < len(tasks):
        raise ValueError("the published task graph has a task id twice")
    yield
    # A graph with errors is shown and not carried out; it says itself what is too large.
    if not graph.errors:
        yield from checking_sizes(graph)
        order = yield from (yield from linking(graph)).sorting()
        if len(order) < len(tasks):
            raise ValueError("the published task graph has a dependency cycle")
    return graph


def linking(published: PublishedGraph) -> Pieces[TaskGraph]:
    """The graph; task ``i`` is ``tasks[i]``. Raises ValueError for an unknown id."""
    tasks = published.tasks
    place = {task["id"]: index for index, task in enumerate(tasks)}
    needed, done = [], 0
    for task in tasks:
        names = task.get("dependencies") or ()
        missing = next((name for name in names if name not in place), None)
        if missing is not None:
            raise ValueError(
                f"task {task['id']} depends on {missing}, which is not defined"
            )
        needed.append([place[name] for name in names])
        done += 1 + len(names)
        if done > _EDGES:
            done = 0
            yield
    yield
    return TaskGraph(needed, [task.get("estimateSeconds") for task in tasks])


@dataclass
class _Outline:
    """Where the lists of a graph are, and their items: ``slices`` by the name of the list."""

    key: str = ""
    name: str = ""
    slices: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    #: What is in the brackets that are open or were: places in the text.
    inner: list[tuple[int, int]] = field(default_factory=list)
    start: int = 0
    first: int = 0
    #: Values before the slice, and before the item, that is open.
    values: int = 0
    before: int = 0

    def note(self, mark: Mark, text: bytes) -> None:
        """The next mark, nested 2 deep at most: 1 is the graph itself."""
        sign, nested = mark.first, mark.nested
        if sign == '"' and nested == 1:
            self.key = text[mark.start + 1 : mark.end - 1][:64].decode("latin-1")
        elif sign in "[{" and nested == 2:
            self.name = self.key if sign == "[" and self.key in _MOST else ""
            if self.name in self.slices:
                raise wrong_at(f"{self.name}: it is there twice")
            if self.name:
                self.slices[self.name] = []
            self.first = self.start = mark.end
            self.values = self.before = mark.values
        elif self.name and nested == (2 if sign == "," else 1) and sign in ",]}":
            if mark.values - self.before > _VALUES:
                raise wrong_at(f"{self.name}: an item of more than {_VALUES} values")
            self.before = mark.values
            long = mark.start - self.start >= _BYTES
            if sign != "," or long or mark.values - self.values > _VALUES // 2:
                self.slices[self.name].append((self.start, mark.start))
                self.start, self.values = mark.end, mark.values
        if sign in "]}" and nested == 1:
            self.inner.append((self.first, mark.start))
            self.name = ""

    def rest(self, text: bytes) -> bytes:
        """The text with nothing in its brackets."""
        at, kept = 0, []
        for start, end in self.inner:
            kept.append(text[at:start])
            at = end
        return b"".join([*kept, text[at:]])


def _listed(
    text: bytes, outline: _Outline, name: str, kind: TypeAdapter[list[T]]
) -> Pieces[list[T]]:
    """The items of one list."""
    found: list[T] = []
    slices = outline.slices.get(name, [])
    for start, end in slices:
        try:
            some = kind.validate_json(b"[" + text[start:end] + b"]")
        except ValidationError as problem:
            raise wrong_at(_fault(problem, name, len(found))) from None
        if not some and len(slices) > 1:
            raise wrong_at(f"{name}.{len(found)}: nothing is there")
        found += some
        if len(found) > _MOST[name]:
            raise wrong_at(f"{name}: more than {_MOST[name]} items")
        yield
    return found


def _fault(problem: ValidationError, name: str, before: int) -> str:
    """``tasks.250.id: ...``: the number is that within the whole list."""
    place = problem.errors(include_url=False, include_input=False)[0]["loc"]
    said = first_fault(problem, skip=1, whole="")
    if not place:
        return f"{name}.{before}{said}"
    number = before + int(place[0])
    return f"{name}.{number}{said}" if said[:1] == ":" else f"{name}.{number}.{said}"
