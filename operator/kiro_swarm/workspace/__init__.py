"""Git: the mirror, the worktrees of the instances, evidence, the merge train.

Role: the only package that imports GitPython. Called by the jobs (prepare, integrate) and,
as ``kiro-swarm workspace ...``, inside the agent container.

Guarantees: no git command is started through a shell or with an inherited environment
(git.py); nothing that an agent can write is ever used as a git directory by a process
that holds credentials (intake.py); every function can be killed at any point and simply
be called again.
"""
