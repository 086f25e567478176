"""Closed bars and settlements in, `FeatureSet` out: point-in-time by construction, and a detector for whatever is
not."""
