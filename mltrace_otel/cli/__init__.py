"""The command line `mltrace`: asks the HTTP API and prints for people, or as JSON."""
