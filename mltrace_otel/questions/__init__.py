"""Questions to the server's HTTP API, and answers that people can read."""
