"""The one life of a KiroTask: its states, the legal edges, what each sets and resets. Pure.

Whoever writes the status of a KiroTask makes the patch here: the operator, the runner, the
integrate Job, and the operator in the name of a person. No I/O and no clock: who calls
passes ``now``.
"""
