"""One rule per file: what it wants to see, the same code for both sides. `side` is +1 for longs, -1 for shorts."""
