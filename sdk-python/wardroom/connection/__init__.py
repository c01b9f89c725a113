"""One connection that is kept up and kept authenticated, and the requests over it."""
