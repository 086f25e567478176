"""Settings, and the one place that chooses real things."""
