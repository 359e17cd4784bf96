"""What there is of the work of an attempt, as it is told to the runner.

Role: evidence.py answers with ``Evidence``; standing.py raises ``NotDone`` where it finds a state
in which there can be none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Optional

_MAXIMUM_FILES = 500


@dataclass(frozen=True)
class Evidence:
    """``commit`` and its ``tree`` are set when ``reason`` is Done, and ``clean`` is true.

    Reasons: Done, NoChanges, WrongBranch, HistoryRewritten, UnmergedPaths,
    OperationInProgress, NestedRepository, UnreadablePath, ContentElsewhere,
    BrokenRepository.
    ``warning``: what a person should know of, beside the reason.
    """

    reason: str
    message: str
    commit: Optional[str] = None
    tree: Optional[str] = None
    commits_ahead: int = 0
    clean: bool = False
    files: list[str] = field(default_factory=list)
    warning: str = ""

    def to_json(self) -> dict[str, object]:
        """As the command line prints it: camelCase, at most 500 files."""
        fields = asdict(self)
        fields["commitsAhead"] = fields.pop("commits_ahead")
        fields["files"] = self.files[:_MAXIMUM_FILES]
        if not self.warning:
            del fields["warning"]
        return fields


class NotDone(Exception):
    """Ends the search for work with this Evidence."""

    def __init__(self, reason: str, message: str, warning: str = "") -> None:
        super().__init__(message)
        self.evidence = Evidence(reason, message, warning=warning)
