"""Tools that a model may call while it answers: one a file, all in the registry."""
