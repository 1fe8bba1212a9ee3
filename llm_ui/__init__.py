"""LLM UI: a self-hosted, multi-user AI workspace."""

import os

__version__ = "0.1.0"

# Panel reads this when it is imported, so it is set before any module of ours can import it. Without it a document
# that is built again over a websocket names the public CDN in its addresses.
os.environ["PANEL_CDN_ROOT"] = "/pncdn/"
