"""Venues where orders are real. Each is a room of its own; none knows another."""
