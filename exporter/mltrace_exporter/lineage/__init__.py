"""What follows from who depends on whom: pure functions from edges to depths and ranks."""
