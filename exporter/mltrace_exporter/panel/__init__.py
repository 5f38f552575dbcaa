"""The panel: pages for people, rendered on the server from the same queries as the HTTP API.

A route (in `routes`) asks the queries and puts the answers into its page's context; a template of
the same name renders it (`rendering`) with the words of `formats` and the addresses of `links`.
Pages need no script and load nothing from elsewhere.
"""

from fastapi import FastAPI

from mltrace_exporter.panel import links
from mltrace_exporter.panel.assets import Assets
from mltrace_exporter.panel.attention import Watch
from mltrace_exporter.panel.routes import router
from mltrace_exporter.panel.routes.errors import render_error


def install(app: FastAPI) -> None:
    """Add the panel's pages and files to an app.

    ``app.state.render_error(request, status, title, detail)`` is set to the error page, for whoever
    handles the errors of paths outside the API.
    """
    app.state.watch = Watch(app.state.poller)
    app.include_router(router)
    app.mount(links.STATIC, Assets(), name="static")
    app.state.render_error = render_error
