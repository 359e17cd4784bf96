"""One SwarmCommand: its turn, its parsed sentence, what it does, its answer."""
