"""The plain pages are served as the whole site is."""

from tests.app.conftest import applications, password_hash, site, workspace

__all__ = ["applications", "password_hash", "site", "workspace"]
