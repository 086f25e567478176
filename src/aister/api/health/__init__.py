"""Is it well? The one question that anybody may ask."""
