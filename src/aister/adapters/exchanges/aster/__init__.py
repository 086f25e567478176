"""AsterDex perpetuals: what its documents say, turned into this system's nouns. Nothing else knows its wire."""
