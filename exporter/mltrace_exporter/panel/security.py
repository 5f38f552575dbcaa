"""What keeps the panel's pages safe in a browser: headers of every answer, the check of every form.

The policy lets a page load files of this server only and run nothing written into the page, so that
text which slipped through escaping could still not act.
Source: https://www.w3.org/TR/CSP3/, https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from urllib.parse import urlsplit

from fastapi import HTTPException, Request

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def refuse_cross_site(request: Request) -> None:
    """Refuse a form that a page of another site sent, so that no visited page can flag outputs.

    Browsers say where a request comes from in ``Sec-Fetch-Site``, and in ``Origin`` where the panel
    is served without TLS under a name other than localhost; no page can forge them. Programs send
    neither and pass: no page steers them.

    Source: "Fetch Metadata" in OWASP's Cross-Site Request Forgery Prevention Cheat Sheet; the order
    of the checks is that of ``CrossOriginProtection`` in Go's net/http.

    Raises:
        HTTPException: 403, the request changes something and comes from another site.
    """
    if request.method in _SAFE_METHODS or _comes_from_here(request):
        return
    raise HTTPException(
        403, "This form was sent by a page of another site. Open the panel and retry."
    )


def _comes_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
