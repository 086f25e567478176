"""Strategy specs: the packaged ones, their JSON Schema, and whether one of your own is sound."""
