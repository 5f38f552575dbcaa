"""The way of finished runs to the server: disk, sender, transport."""
