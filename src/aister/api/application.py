"""The one place where the interface is put together."""

from collections.abc import Callable, Mapping

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from aister.api.candles import endpoints as candles
from aister.api.candles.service import CandleShelf
from aister.api.frame.access import Guarded, Identify, needs_of
from aister.api.frame.description import add_description
from aister.api.frame.envelope import Envelope
from aister.api.frame.etags import Tags
from aister.api.frame.hosts import Addresses, Doors
from aister.api.frame.limits import Bodies, Bounds, Pace
from aister.api.frame.problems import add_problems
from aister.api.health import endpoints as health
from aister.api.health.service import Health, Probe
from aister.api.instruments import endpoints as instruments
from aister.api.instruments.service import Listing
from aister.api.risk import endpoints as risk
from aister.api.setup import endpoints as setup
from aister.api.setup.service import Setup
from aister.api.specs import endpoints as specs
from aister.api.specs.service import Specs
from aister.api.system import endpoints as system
from aister.api.system.service import System
from aister.core.instrument import Instrument
from aister.ports.candles import Candles

__all__ = ["PUBLIC", "Parts", "make_api"]

PUBLIC = frozenset(
    {
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/api/v1/openapi.json"),
        ("POST", "/api/v1/setup"),
    }
)
"""Everything that answers without signing in. At most 12."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the interface is made of. `probes`: named questions, each answered with what is wrong, or nothing;
    `now_ms` is the wall clock, `monotonic` seconds that never go back."""

    version: str
    known: Addresses
    tls: bool
    setup: Setup
    identify: Identify
    probes: Mapping[str, Probe]
    instruments: Mapping[str, Instrument]
    candles: Candles
    engine_hash: str
    now_ms: Callable[[], int]
    monotonic: Callable[[], float]
    bounds: Bounds = Bounds()


def make_api(parts: Parts) -> FastAPI:
    """The interface over these parts. A request passes, in this order: envelope, doors, pace, body, tags, route,
    signing in, endpoint. Raises `ValueError` when an endpoint neither says what it needs nor is on the list
    `PUBLIC`."""
    api = FastAPI(
        title="AISTER",
        version=parts.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[
            Middleware(Envelope, tls=parts.tls),
            Middleware(Doors, known=parts.known),
            Middleware(Pace, bounds=parts.bounds, monotonic=parts.monotonic),
            Middleware(Bodies, bounds=parts.bounds),
            Middleware(Tags),
        ],
    )
    api.router.route_class = Guarded
    api.state.identify = parts.identify
    add_problems(api)
    well = Health(parts.probes, parts.monotonic)
    health.add(api, well)
    setup.add(api, parts.setup)
    system.add(api, System(well, parts.version, parts.engine_hash, parts.now_ms, parts.monotonic))
    instruments.add(api, Listing(parts.instruments))
    candles.add(api, CandleShelf(parts.candles))
    specs.add(api, Specs(parts.instruments))
    risk.add(api)
    add_description(api)
    _closed(api)
    return api


def _closed(api: FastAPI) -> None:
    for route in api.routes:
        path = getattr(route, "path", "?")
        if not isinstance(route, APIRoute):
            raise ValueError(f"{path} is no guarded route; add it as an endpoint.")
        for method in route.methods or ():
            if (needs_of(route) is None) is not ((method, path) in PUBLIC):
                raise ValueError(f"{method} {path} must either say what it needs or be on the list PUBLIC.")
