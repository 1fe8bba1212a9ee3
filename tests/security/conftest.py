"""The whole site, as it is served."""

from tests.app.conftest import applications, password_hash, site, workspace

__all__ = ["applications", "password_hash", "site", "workspace"]
