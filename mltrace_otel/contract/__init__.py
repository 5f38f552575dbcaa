"""What client and exporter agree on: names on the wire and shapes of the HTTP API.

The only room that both sides may enter. Standard library only, no behaviour.
"""
