"""The panel's own files: styles, scripts and icons, kept by browsers until they change."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from mltrace_exporter.panel import links, security

_FOLDER = "static"
_FOR_A_YEAR = "public, max-age=31536000, immutable"


@cache
def address_asset(file_name: str) -> str:
    """Return the address of a file, which is another one when its content is another one."""
    content = read_asset(file_name).encode()
    return f"{links.to_static(file_name)}?v={hashlib.sha256(content).hexdigest()[:12]}"


@cache
def read_asset(file_name: str) -> str:
    """Return what a file holds."""
    return files(__package__).joinpath(_FOLDER, file_name).read_text()


class Assets(StaticFiles):
    """Serves the files with the panel's headers."""

    def __init__(self) -> None:
        super().__init__(packages=[(__package__, _FOLDER)])

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one request for a file."""
        response = await super().get_response(path, scope)
        response.headers.update(security.HEADERS)
        if b"v=" in scope["query_string"]:
            response.headers["cache-control"] = _FOR_A_YEAR
        return response
