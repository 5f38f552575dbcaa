"""The panel: pages for people, rendered on the server from the same queries as the HTTP API.

A route (`routes`) asks the queries and puts the answers into the page's context (`contexts`); a
template of the same name renders it (`rendering`) with the words of `formats` and the addresses of
`links`. Pages need no script and load nothing from elsewhere.
"""

from fastapi import FastAPI

from mltrace_exporter.panel import links, rendering, routes


def install(app: FastAPI) -> None:
    """Add the panel's pages and files to an app.

    ``app.state.render_error(request, status, title, detail)`` is set to the error page, for whoever
    handles the errors of paths outside the API.
    """
    app.include_router(routes.router)
    files = rendering.SecureFiles(packages=[("mltrace_exporter.panel", "static")])
    app.mount(links.STATIC, files, name="static")
    app.state.render_error = rendering.render_error
