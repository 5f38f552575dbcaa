"""The panel's addresses: what each page asks of the queries. A GET changes nothing."""

from fastapi import APIRouter, Depends

from mltrace_exporter.panel.routes import (
    commands,
    compare,
    components,
    data,
    flags,
    lineage,
    outputs,
    recent,
    review,
    runs,
    search,
    status,
    tests,
    themes,
)
from mltrace_exporter.panel.security import refuse_cross_site

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)
for part in (
    recent,
    runs,
    data,
    outputs,
    lineage,
    compare,
    components,
    review,
    flags,
    tests,
    search,
    status,
    commands,
    themes,
):
    router.include_router(part.router)
