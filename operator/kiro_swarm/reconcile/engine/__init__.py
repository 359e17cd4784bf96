"""What drives the reconciles: the queue, the watches, the means that each may use.

Also what a process remembers between them: which commands wait for their turn, and the
audit log. Nothing is decided here; ``worker`` starts it, and every other package of
``reconcile`` works with its ``Context``.
"""
