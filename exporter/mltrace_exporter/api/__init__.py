"""The HTTP API, a thin shell over `queries` and `marks`: URLs in, JSON of the contract out.

OpenAPI is its contract; every error is ``application/problem+json`` of one shape, see `problems`.
"""

from fastapi import APIRouter

from mltrace_exporter.api import (
    alerts,
    components,
    data,
    dead_letters,
    flags,
    lineage,
    problems,
    runs,
    search,
)

__all__ = ["problems", "router"]

router = APIRouter(
    prefix="/api",
    responses=problems.ALWAYS,
    generate_unique_id_function=lambda route: route.name,
)
for _topic in (runs, components, lineage, flags, search, data, dead_letters, alerts):
    router.include_router(_topic.router)
