"""What runs here: version, engine, state of its parts."""
