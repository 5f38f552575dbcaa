"""What is monitored: a snapshot of the store as metrics, and the alerts that fire on it.

``poller`` reads the store now and then; ``/metrics`` and ``/api/alerts`` answer from what it read.
"""
