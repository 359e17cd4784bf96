"""What is written into a SwarmCommand: its record, its progress, its answer.

``write`` is called by the command reconcile and writes; ``status`` is what it writes, pure.
"""
