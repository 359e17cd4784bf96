"""The long proofs behind hack/soak: which there are, how one is run, where it is written."""

from __future__ import annotations
