"""The objects that we create: what a swarm, an instance or a Job is made of. Pure."""
