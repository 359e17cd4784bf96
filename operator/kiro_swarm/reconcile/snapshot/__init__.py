"""A swarm as it is at one moment, sorted and measured. Pure; decisions are made from it."""
