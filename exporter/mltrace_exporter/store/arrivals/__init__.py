"""The one way of runs into the tables."""
