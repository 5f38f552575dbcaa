"""Who depends on whom, and what follows from it, in SQL."""
