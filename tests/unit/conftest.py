"""What all unit tests share: nobody out there is trusted, for nobody out there is asked."""

from __future__ import annotations

import os
from typing import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_authorities() -> Iterator[None]:
    """No certificates of the machine: to read them takes 30 ms for each client made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", os.devnull)
        patch.setenv("SSL_CERT_DIR", os.devnull)
        yield
