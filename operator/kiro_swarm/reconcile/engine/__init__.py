"""What drives the reconciles: the queue, the watches, the means that each may use.

Nothing is decided here. ``worker`` starts it; every other room of ``reconcile`` works
with its ``Context``.
"""
