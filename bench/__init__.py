"""Other people's engines, side by side with ours: each in an environment of its own under build/peers, never imported
by the package or its tests."""
