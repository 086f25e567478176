"""Closed bars: the packaged sample and what was downloaded or imported."""
