"""Errors as answers: problem+json (RFC 9457) with one sentence that names the remedy, never a traceback."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from aister.core.errors import (
    AisterError,
    CredentialError,
    DataError,
    JournalError,
    KernelCacheError,
    PermissionRefused,
    SettingsError,
    SignerUnreachable,
    StorageError,
    StrategyError,
    UsageError,
)

__all__ = ["FAILED", "Refusal", "add_problems", "problem", "request_id", "told_text"]

FAILED = "Something failed inside; tell the owner the request id, the server's log has the place."
_MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[AisterError], int], ...] = (
    (UsageError, 422),
    (SettingsError, 422),
    (StrategyError, 422),
    (PermissionRefused, 403),
    (CredentialError, 403),
    (DataError, 503),
    (StorageError, 503),
    (JournalError, 503),
    (KernelCacheError, 503),
    (SignerUnreachable, 503),
)
_SENTENCES = {
    404: "There is nothing at this address; the page at / lists what there is.",
    405: "This address does not take that method; the page at / lists what there is.",
    400: "The request could not be read; send it as the page at / describes.",
}


class Refusal(AisterError):
    """A request that is answered with this status; `headers` go with the answer."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, dict(headers or {})


def request_id(scope: Scope) -> str:
    """What the envelope named this request; empty outside of one."""
    return str(scope.get("aister.request", ""))


def told_text(text: str) -> str:
    """Text that came from the asker as it can be told: JSON may carry halves of characters, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def problem(
    scope: Scope,
    status: int,
    sentence: str,
    findings: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer. `findings`: pairs of a place in the request and what is wrong there."""
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": told_text(sentence),
        "request_id": request_id(scope),
    }
    if findings:
        told["findings"] = [{"path": told_text(path), "reason": told_text(reason)} for path, reason in findings]
    return JSONResponse(told, status, headers, _MEDIA_TYPE)


def add_problems(api: FastAPI) -> None:
    """Every deliberate error, every request that is not as described and every unknown address becomes a problem."""
    api.add_exception_handler(AisterError, _deliberate)
    api.add_exception_handler(RequestValidationError, _not_as_described)
    api.add_exception_handler(HTTPException, _of_the_router)


async def _deliberate(request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return problem(request.scope, error.status, str(error), headers=error.headers)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return problem(request.scope, status, FAILED if status == 500 else str(error))


async def _not_as_described(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    findings = [("/" + "/".join(str(part) for part in one["loc"]), str(one["msg"])) for one in error.errors()]
    path, reason = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    sentence = f"The request is refused at {path}: {reason}{more}; correct it and send it again."
    return problem(request.scope, 422, sentence, findings)


async def _of_the_router(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = _SENTENCES.get(error.status_code, f"{error.detail}.")
    return problem(request.scope, error.status_code, sentence, headers=error.headers)
