"""LLM UI: a self-hosted, multi-user AI workspace."""

__version__ = "0.1.0"
