"""Contracts that can be traded: grids, fees, margin."""
