"""Writes docs/reference/ from the code, so that it cannot say what the code does not.

Called by hack/update-docs and hack/verify-docs, and by tests/unit/docs. One module a
source: the kinds, the command table, the chart's values, the command line, states and
reasons, rights.
"""
