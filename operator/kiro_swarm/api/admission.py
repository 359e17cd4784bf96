"""The shapes of admission policies, as far as ours have them.

Made by ``commands/admission.py`` and ``commands/writers.py``.
"""

from __future__ import annotations

from typing_extensions import NotRequired, TypedDict


class ResourceRule(TypedDict):
    """Which requests a policy is asked about."""

    apiGroups: list[str]
    apiVersions: list[str]
    operations: list[str]
    resources: list[str]


class MatchConstraints(TypedDict):
    """The requests that a policy is about, of objects with these labels."""

    objectSelector: NotRequired[dict[str, object]]
    resourceRules: list[ResourceRule]


class PolicySpec(TypedDict):
    """The spec of a ValidatingAdmissionPolicy."""

    failurePolicy: str
    matchConstraints: MatchConstraints
    variables: list[dict[str, str]]
    validations: list[dict[str, str]]
