"""Abilities the engine needs from outside, one Protocol per file. Adapters and fakes carry the same basenames."""
