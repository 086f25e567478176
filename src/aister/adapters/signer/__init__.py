"""The process that holds the keys: it signs what is on its list, under caps fixed when it started, and nothing else
(safety A1, C3, C4, C12)."""
