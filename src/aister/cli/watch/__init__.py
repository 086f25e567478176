"""What a person sees of a run while it goes, and what it leaves. Loaded only when something runs."""
