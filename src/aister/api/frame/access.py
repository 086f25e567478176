"""Who asks, and what an endpoint needs of them: declared once at each endpoint, read by the check before its body is,
by the OpenAPI description, and by the walk over all routes."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.responses import Response

from aister.api.frame.problems import Refusal
from aister.core.people import Role

__all__ = ["Caller", "Guarded", "Identify", "SignedIn", "needs_of", "signed_in"]

_WHO = "Sign in: send the header `Authorization: Bearer TOKEN`; POST /api/v1/setup gives the owner one."


class Caller(msgspec.Struct, frozen=True):
    """Who asks. `scopes`: what a key was made for, None = everything its role may do."""

    id: str
    role: Role
    scopes: frozenset[str] | None = None


Identify = Callable[[str], Caller | None]
"""From a bearer token to its caller, None when it is unknown or has ended."""


class SignedIn(SecurityBase):
    """The dependency: a caller of at least this role, whose key, if it is one, has this scope."""

    def __init__(self, role: Role, scope: str) -> None:
        self.model = HTTPBearer(description=_WHO)
        self.scheme_name = "bearer"
        self.role, self.scope = role, scope

    async def __call__(self, request: Request) -> Caller:
        caller: Caller = request.state.caller
        return caller

    def admit(self, request: Request) -> Caller:
        """Raises `Refusal`: 401 for nobody, 403 for somebody who may not."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        identify: Identify = request.app.state.identify
        caller = identify(token.strip()) if kind.lower() == "bearer" and token.strip() else None
        if caller is None:
            raise Refusal(401, _WHO, {"WWW-Authenticate": "Bearer"})
        if not caller.role.covers(self.role):
            raise Refusal(403, f"A {caller.role} may not do this; ask the owner for the role {self.role}.")
        if caller.scopes is not None and self.scope not in caller.scopes:
            raise Refusal(403, f"This key was not made for {self.scope}; make one that has this scope.")
        return caller


def signed_in(role: Role, scope: str) -> list[Dependency]:
    """What an endpoint writes as its `dependencies`."""
    return [Depends(SignedIn(role, scope))]


def needs_of(route: APIRoute) -> SignedIn | None:
    """What a route declares, None when it is open to anybody."""
    return next((one.dependency for one in route.dependencies if isinstance(one.dependency, SignedIn)), None)


class Guarded(APIRoute):
    """A route that asks who it is before it reads anything else of the request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            needs = needs_of(self)
            if needs is not None:
                request.state.caller = needs.admit(request)
            return await handle(request)

        return guarded
