"""What ``kubectl swarm`` writes: answers to standard output, all else to standard error.

Called by every command of this package. Texts of the cluster lose their control sequences
here or in the views; colours follow NO_COLOR and end where the output is no terminal.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Mapping, Sequence, Union

from rich.console import Console, RenderableType
from rich.text import Text

from kiro_swarm.api.meta import GROUP
from kiro_swarm.cli.kubectl.failure import Failure
from kiro_swarm.cli.kubectl.views.objects import Object, name
from kiro_swarm.cli.kubectl.views.text import clean, clean_lines


class Terminal:
    """Standard output and standard error of this process."""

    @cached_property
    def out(self) -> Console:
        """For answers."""
        return Console(highlight=False, markup=False, emoji=False)

    @cached_property
    def err(self) -> Console:
        """For progress, notes and errors."""
        return Console(stderr=True, highlight=False, markup=False, emoji=False)

    def show(self, view: RenderableType) -> None:
        """Print a view, or lines of the cluster as they are given by ``text_of``."""
        self.out.print(view, soft_wrap=True)

    def note(self, text: str, style: str = "dim") -> None:
        """One line about what is going on."""
        self.err.print(Text(clean(text), style), soft_wrap=True)

    def fail(self, failure: Failure) -> None:
        """Why it did not work, and what helps."""
        self.err.print(Text("error: ", "bold red"), end="")
        self.err.print(text_of(failure.message), soft_wrap=True)
        for hint in failure.hints:
            self.err.print(text_of(hint), soft_wrap=True)

    def dump(self, data: Union[Object, Sequence[Object]], output: str) -> None:
        """An object, or several as a List, as ``json``, ``yaml`` or ``name``."""
        items = [data] if isinstance(data, Mapping) else data
        if output == "name":
            for item in items:
                self.out.file.write(name_of(item) + "\n")
            return
        items = [_without_bookkeeping(item) for item in items]
        whole = items[0] if isinstance(data, Mapping) else _list_of(items)
        if output == "json":
            text = json.dumps(whole, indent=4) + "\n"
        else:
            import yaml

            text = yaml.safe_dump(whole, sort_keys=False)
        self.out.file.write(text)


def text_of(value: object) -> Text:
    """Text of the cluster with its line breaks and without what moves a cursor."""
    return Text("\n".join(clean_lines(value)))


def name_of(item: Object) -> str:
    """``swarmcommand.swarm.kiro.dev/say-x7k2p``, as kubectl writes names."""
    group = str(item.get("apiVersion", "")).rpartition("/")[0] or GROUP
    return f"{str(item.get('kind', '')).lower()}.{group}/{name(item)}"


def _without_bookkeeping(item: Object) -> Object:
    """As kubectl prints an object: nobody reads its managedFields."""
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping):
        return item
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {**item, "metadata": kept}


def _list_of(items: Sequence[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}
