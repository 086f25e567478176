"""What the journal says afterwards: hashes, metrics, reports. The same for a backtest and for last month."""
