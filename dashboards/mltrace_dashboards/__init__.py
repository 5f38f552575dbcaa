"""Grafana dashboards as code. In: this package. Out: the JSON beside it, and what pushes it."""
