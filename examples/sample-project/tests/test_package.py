"""The package is there."""

from __future__ import annotations

import unittest

import pennybook


class Package(unittest.TestCase):
    """What holds before any task is done."""

    def test_it_has_a_version(self) -> None:
        """A version is three numbers."""
        self.assertEqual(len(pennybook.__version__.split(".")), 3)
