"""/api/v1/specs."""

from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from aister.api.frame.access import signed_in
from aister.api.frame.paging import Cursor, Limit, Page, after, cursor
from aister.api.frame.problems import told_text
from aister.api.specs.schemas import FindingTold, JudgementTold, SpecListed, SpecShown
from aister.api.specs.service import Specs, Summary
from aister.core.people import Role

__all__ = ["add"]

_READ = "specs:read"
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The spec itself; GET /api/v1/specs/schema describes it.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"version": 1, "name": "my_own"}}},
    }
}


def add(api: FastAPI, specs: Specs) -> None:
    @api.get("/api/v1/specs", dependencies=signed_in(Role.VIEWER, _READ))
    def list_specs(limit: Limit = 50, cursor_: Cursor = None) -> Page[SpecListed]:
        """The packaged specs, in order of name."""
        last = after(cursor_, "specs", str)
        names = [name for name in specs.names() if last is None or name > last]
        items = [SpecListed(**_listed(specs.summary(name))) for name in names[:limit]]
        return Page(items=items, next=cursor("specs", items[-1].name) if len(names) > limit else None)

    @api.get("/api/v1/specs/schema", dependencies=signed_in(Role.VIEWER, _READ))
    def spec_json_schema() -> dict[str, Any]:
        """The JSON Schema of a spec, for editors."""
        return specs.schema()

    @api.post("/api/v1/specs/check", dependencies=signed_in(Role.VIEWER, _READ), openapi_extra=_BODY)
    async def check_spec(request: Request) -> JudgementTold:
        """Say whether a spec is sound, or everything that is wrong with it and where. Nothing is kept or run."""
        found = await run_in_threadpool(specs.judge, await request.body())
        findings = [FindingTold(path=told_text(one.path), reason=told_text(one.reason)) for one in found.findings]
        return JudgementTold(sound=found.sound, name=found.name, hash=found.hash, findings=findings)

    @api.get("/api/v1/specs/{name}", dependencies=signed_in(Role.VIEWER, _READ))
    def show_spec(name: str) -> SpecShown:
        """One packaged spec, whole."""
        return SpecShown(**_listed(specs.summary(name)), spec=specs.text(name))


def _listed(found: Summary) -> dict[str, Any]:
    return {
        "name": found.name,
        "description": found.description,
        "timeframe": found.timeframe,
        "symbols": list(found.symbols),
        "sides": list(found.sides),
        "hash": found.hash,
    }
