"""One room over any number of connections."""
