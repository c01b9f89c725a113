"""The session of a user: tokens, their storage and their renewal."""
