"""Other people's Python behind walls: a child process that has data and a pipe, and nothing else (safety A6)."""
