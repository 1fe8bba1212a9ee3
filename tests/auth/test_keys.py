"""The page with one's own keys."""
