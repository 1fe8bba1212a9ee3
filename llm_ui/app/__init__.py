"""The UI process. Panel reads this variable when it is imported, which every module here does afterwards."""

import os

# A document that is built again over a websocket would otherwise name the public CDN in its addresses.
os.environ["PANEL_CDN_ROOT"] = "/pncdn/"
