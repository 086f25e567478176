"""The OpenAPI description of everything, errors included, and the page that shows it: from our own files alone."""

import base64
import hashlib
from functools import cache
from html import escape
from threading import Lock
from typing import Any

from fastapi import FastAPI
from starlette.responses import HTMLResponse, JSONResponse

from aister.api.frame.access import Guarded, SignedIn, needs_of

__all__ = ["add_description"]

_ABOUT = {
    400: "The request cannot be read.",
    401: "Nobody is signed in.",
    403: "The caller, or the page's origin, may not.",
    404: "There is none of that name.",
    408: "The request came too slowly.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    421: "This server does not answer to that Host.",
    422: "The request is not as described; `findings` says where.",
    429: "Too many requests from this address; `Retry-After` says when.",
    503: "A part of the server is out of order, or took too long.",
}
_PROBLEM = {
    "title": "Problem",
    "description": "An error (RFC 9457): one sentence that names the remedy.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "reason"],
                "properties": {"path": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Sign in: send the header `Authorization: Bearer TOKEN`; POST /api/v1/setup gives the owner one.",
        "request_id": "req_0123456789abcdef",
    },
}
_SAYS = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "code,pre{font-family:ui-monospace,monospace;background:#f2f2f2;padding:.1rem .3rem}"
    "pre{padding:.6rem;overflow:auto}"
    "article{border-top:1px solid #ccc;margin-top:1.5rem}h2{font-size:1.1rem}table{border-collapse:collapse}"
    "td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#111}code,pre{background:#222}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_CLAIM = (
    "curl -X POST ADDRESS/api/v1/setup -H 'Content-Type: application/json' -d '{\"token\": \"SET-UP TOKEN\"}'\n"
    "curl ADDRESS/api/v1/system -H 'Authorization: Bearer TOKEN OF THE ANSWER'"
)


def add_description(api: FastAPI) -> None:
    """Adds `/` and `/api/v1/openapi.json`. Both are made once, when somebody first asks."""

    one = Lock()

    @cache
    def made() -> tuple[dict[str, Any], str]:
        described = _completed(api)
        return described, _page(described)

    def once() -> tuple[dict[str, Any], str]:
        with one:  # of those who ask first at once, one makes it
            return made()

    @api.get("/api/v1/openapi.json", include_in_schema=False)
    def openapi_document() -> JSONResponse:
        return JSONResponse(once()[0])

    @api.get("/", include_in_schema=False)
    def reference_page() -> HTMLResponse:
        return HTMLResponse(once()[1], headers={"Content-Security-Policy": _POLICY})


def _completed(api: FastAPI) -> dict[str, Any]:
    """FastAPI's description, with every error that the frame can answer, and what each endpoint needs."""
    told = api.openapi()
    schemas = told["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    for route in api.routes:
        if not isinstance(route, Guarded) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = told["paths"][route.path][method.lower()]
            needs = needs_of(route)
            answers = operation["responses"]
            answers.pop("422", None)
            for status in _possible(method, route.path, operation, needs):
                answers[str(status)] = {"description": _ABOUT[status], **_SAYS}
            if needs is not None:
                operation["x-role"], operation["x-scope"] = needs.role.value, needs.scope
    return told


def _possible(method: str, path: str, operation: dict[str, Any], needs: SignedIn | None) -> list[int]:
    found = [400, 403, 408, 413, 421, 429, 503]
    if needs is not None:
        found.append(401)
    if "{" in path:
        found.append(404)
    if operation.get("parameters") or operation.get("requestBody"):
        found.append(422)
    if method != "GET":
        found.append(415)
    return sorted(found)


def _page(told: dict[str, Any]) -> str:
    operations = [
        _operation(method, path, operation)
        for path, methods in sorted(told["paths"].items())
        for method, operation in methods.items()
    ]
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>AISTER: API reference</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style></head><body>"
        f"<h1>AISTER {escape(told['info']['version'])}: API reference</h1>"
        "<p>The description for programs is <a href='/api/v1/openapi.json'>/api/v1/openapi.json</a>. Every error is "
        "problem+json with one sentence; lists come in pages, <code>next</code> asks for the following one; times are "
        "milliseconds UTC, money and prices are decimal texts.</p>"
        f"<h2>Set-up</h2><p>Whoever started <code>aister serve</code> has the set-up token. It is good once, for an "
        f"hour:</p><pre>{escape(_CLAIM)}</pre>{''.join(operations)}</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    needs = f"{operation['x-role']}, scope {operation['x-scope']}" if "x-role" in operation else "nobody in particular"
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", [])
    )
    statuses = ", ".join(operation["responses"])
    return (
        f"<article><h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"
        f"<p>For: {escape(needs)}. Answers: {escape(statuses)}.</p><table>{rows}</table></article>"
    )
