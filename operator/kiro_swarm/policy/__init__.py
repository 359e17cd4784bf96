"""Pure decisions that are not about the task graph: names, colours, times, recovery.

No I/O and no clock: whoever calls passes ``now``.
"""
