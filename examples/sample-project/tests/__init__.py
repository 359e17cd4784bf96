"""Tests of pennybook: python3 -m unittest discover."""
