"""From permission to the venue: what should rest there, the state of each order, the position's manager, the one
sender."""
