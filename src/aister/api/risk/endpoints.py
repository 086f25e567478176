"""/api/v1/risk/profiles."""

from fastapi import FastAPI

from aister.api.frame.access import signed_in
from aister.api.frame.paging import Page
from aister.api.risk.schemas import ProfileTold, profile_told
from aister.api.risk.service import profile_named, profiles
from aister.core.people import Role

__all__ = ["add"]

_READ = "risk:read"


def add(api: FastAPI) -> None:
    @api.get("/api/v1/risk/profiles", dependencies=signed_in(Role.VIEWER, _READ))
    def list_profiles() -> Page[ProfileTold]:
        """The risk profiles, from the most careful on."""
        return Page(items=[profile_told(one) for one in profiles()], next=None)

    @api.get("/api/v1/risk/profiles/{name}", dependencies=signed_in(Role.VIEWER, _READ))
    def show_profile(name: str) -> ProfileTold:
        """One risk profile."""
        return profile_told(profile_named(name))
