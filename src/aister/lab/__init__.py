"""Strategies put to the proof: backtests, sweeps, detectors, trials."""
