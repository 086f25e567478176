"""The only place that knows the order of the stages: events in, audits out, and the loops that drive it."""
