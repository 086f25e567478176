"""Risk profiles: the bounds that an order has to pass."""
