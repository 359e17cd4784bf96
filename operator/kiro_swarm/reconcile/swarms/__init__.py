"""One KiroSwarm: its accounts, its Jobs, its instances, its status."""
