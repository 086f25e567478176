"""Claiming an installation that has no owner yet (B2)."""
