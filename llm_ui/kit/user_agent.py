"""What people call the browser that a sign-in is on."""

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.text import one_line

BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
"""What browsers call themselves, those that also say they are another one first."""
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


def described(user_agent: str) -> str:
    """Return what a person calls the browser, such as *Firefox on Linux*."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), None)
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), None)
    if browser is None:
        return one_line(user_agent, 60) or _("Unknown browser")
    return browser if system is None else _("{browser} on {system}").format(browser=browser, system=system)
