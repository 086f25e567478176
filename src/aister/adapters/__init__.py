"""Where the house meets the world: files, clocks, venues, models. Everything here implements a port or feeds one."""
