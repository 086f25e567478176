"""What every endpoint stands in: doors, limits, errors, signing in, paging, the description of it all."""
