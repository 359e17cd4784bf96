"""The one error of hack/image; its message names what is missing and the remedy."""

from __future__ import annotations


class ImageError(Exception):
    """The image cannot be built or loaded; ``main`` prints it and exits with 1."""
