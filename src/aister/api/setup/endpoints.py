"""POST /api/v1/setup."""

from fastapi import FastAPI

from aister.api.setup.schemas import Claim, Claimed
from aister.api.setup.service import SIGNED_IN_S, Setup

__all__ = ["add"]


def add(api: FastAPI, setup: Setup) -> None:
    @api.post("/api/v1/setup", status_code=201)
    def claim_installation(claim: Claim) -> Claimed:
        """Exchange the set-up token, once and within an hour, for the owner's bearer token."""
        return Claimed(token=setup.claim(claim.token), kind="bearer", seconds=SIGNED_IN_S)
