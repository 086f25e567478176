"""Where keys are kept: a 0600 file or the environment, behind `ports.vault` (safety A2, A4, A5)."""
