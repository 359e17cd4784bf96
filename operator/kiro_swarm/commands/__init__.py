"""The command language: one table of sentences, and what derives from it. Pure.

Called by the operator (SwarmCommand), by ``kiro-swarm command`` and by ``kubectl
swarm``. A sentence becomes one Action or one SentenceError; nothing in between, and
never an action that nobody wrote.
"""
