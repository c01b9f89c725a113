"""Who is signed in: tokens, their storage and their renewal."""
