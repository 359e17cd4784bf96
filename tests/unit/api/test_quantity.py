"""Sizes in bytes are read as Kubernetes reads them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from kiro_swarm.api.quantity import ByteSize, bytes_of

FIELD: TypeAdapter[str] = TypeAdapter(ByteSize)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1", 1),
        ("1k", 1000),
        ("1Ki", 1024),
        ("100M", 100_000_000),
        ("100Mi", 104_857_600),
        ("1.5Gi", 1_610_612_736),
        ("0.001k", 1),
        ("0.3", 0),
        ("999999999999Gi", 999_999_999_999 * 1024**3),
    ],
)
def test_a_size(text: str, value: int) -> None:
    assert FIELD.validate_python(text) == text
    assert bytes_of(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "100m", "-1", "1e6", "1K", "1MB", "1 M", " 1", "1\n", "\u0661", "1.", "1Ti"],
)
def test_no_size(text: str) -> None:
    with pytest.raises(ValidationError):
        FIELD.validate_python(text)
    with pytest.raises(ValueError, match="no size in bytes"):
        bytes_of(text)
