"""``kubectl swarm``: sentences and read-only views, as a plugin of kubectl."""
