"""Detectors: what would make a backtest lie, looked for one by one; docs/detectors.md. One file each."""
