"""The way of a task: when it is ready, who gets it, when it is late, lost or moved.

Functions of a snapshot that return status patches or words; ``swarms`` asks for them in
their order. Only ``transitions.refresh_leases`` and ``transitions.write`` talk to the API server.
"""
