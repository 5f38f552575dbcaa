"""Looking after the tables: what is wrong, what may go."""
