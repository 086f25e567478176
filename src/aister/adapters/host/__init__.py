"""What this machine is and whether it can be trusted with a trader: file systems, locks, disk, clock, memory."""
