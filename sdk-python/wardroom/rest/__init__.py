"""REST calls in the name of a user."""
