"""Names of fields: which kind has which, in English and in the languages that specs are in.

Used by ``fields`` and ``near_fields``. A name that can mean something else as well (``After``,
``Prerequisites``) is *soft*: it is a dependency only where its value is nothing but tasks of
the file.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, Optional

Kind = Literal[
    "depends",
    "blocks",
    "requirements",
    "files",
    "boundary",
    "estimate",
    "priority",
    "complexity",
    "capabilities",
    "acceptance",
]

_DEPENDS: Final = (
    r"depends(?:[ _-]?on)?|dependenc(?:y|ies)|blocked[ _-]?by"
    # Chinese, Japanese, Korean
    r"|依赖(?:于|任务|项|关系)?|依賴(?:於|任務|項|關係)?|前置(?:任务|任務|依赖|依賴)"
    r"|依存(?:関係|タスク|先)?|先行タスク|前提タスク|의존(?:성|[ ]?작업)?|선행[ ]?작업"
    # German, French, Spanish, Portuguese, Italian, Russian, Vietnamese
    r"|h[äa]ngt ab von|abh[äa]ngig von|abh[äa]ngigkeit(?:en)?|d[ée]pend(?:s)? de"
    r"|d[ée]pendances?|depende de|dependencias?|depend[êe]ncias?|dipende da|dipendenz[ae]"
    r"|зависит от|зависимост[ьи]|phụ thuộc(?: vào)?|bị chặn bởi"
)
_REQUIREMENTS: Final = (
    r"requirements?|validates|需求|要求|要件|요구[ ]?사항|anforderung(?:en)?|exigences?"
    r"|requisit[oi]s?|требовани[яе]|yêu cầu|المتطلبات|απαιτήσεις"
)
NAMES: Final[tuple[tuple[str, Kind], ...]] = (
    (_DEPENDS, "depends"),
    (r"blocks", "blocks"),
    (_REQUIREMENTS, "requirements"),
    (r"(?:target )?files?", "files"),
    (r"boundar(?:y|ies)", "boundary"),
    (r"estimate(?:d (?:time|effort|duration))?|estimated|effort", "estimate"),
    (r"priority", "priority"),
    (r"(?:estimated )?complexity", "complexity"),
    (r"(?:required )?(?:capabilit(?:y|ies)|skills?)", "capabilities"),
    (r"acceptance criteri(?:a|on)|acceptance|done when", "acceptance"),
)
SOFT: Final = (
    r"pre-?requisites?(?: tasks?)?|predecessors?|(?:must |to )?(?:runs? |starts? |comes? )?after"
    r"|waits?[ _-](?:for|on)|前提(?:条件)?|前置(?:条件)?"
    r"|nach|apr[èe]s|despu[ée]s(?: de)?|depois(?: de)?|dopo|после|(?:chạy )?sau(?: khi)?"
)


@lru_cache(maxsize=256)
def kind_of(name: str) -> Optional[Kind]:
    """The kind of field that has this name, whatever its case, or None."""
    found = (kind for names, kind in NAMES if re.fullmatch(names, name, re.IGNORECASE))
    return next(found, None)


@lru_cache(maxsize=256)
def is_soft(name: str) -> bool:
    """Whether a name means a dependency only where its value says so."""
    return re.fullmatch(SOFT, name, re.IGNORECASE) is not None
