"""Sources of market time."""
