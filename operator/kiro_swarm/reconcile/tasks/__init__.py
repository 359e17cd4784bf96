"""The way of a task: when it is ready, who gets it, when it is late, lost or moved.

Pure functions of a snapshot that return status patches or words; ``swarms`` asks for them
in their order and has them written.
"""
