"""Secrets: keys of well-known shapes, private keys, signed tokens, and words that look as if thrown with dice."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator

from llm_ui.models import FilterKind
from llm_ui.runs.filters.base import Finding, open_token

KEYS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|AIza[\w-]{35}"
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}"
    r"|glpat-[\w-]{20,64}"
    r"|sk-(?:proj-|ant-|or-|svcacct-)?[\w-]{20,220}"
    r"|[rs]k_(?:live|test)_[0-9a-zA-Z]{16,128}|whsec_[0-9a-zA-Z]{24,64}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,200}"
    r"|hf_[A-Za-z0-9]{30,64}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,250}"
    r"|SG\.[\w-]{16,32}\.[\w-]{30,64}"
    r"|dop_v1_[a-f0-9]{64}|shpat_[a-f0-9]{32}|llmui_[\w-]{20,80}"
    r")(?![A-Za-z0-9_-])",
    re.ASCII,
)
JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,1000}", re.ASCII)
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s:,.]|-(?!-)){0,8192}+"
    r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?"
)
ASSIGNED = re.compile(
    r"(?<![A-Za-z])(?:password|passwd|passwort|kennwort|secret|api[_-]?key|access[_-]?key|auth[_-]?token)"
    r"[\"']?[ \t]{0,3}(?::|=|is|ist|lautet)[ \t]{0,3}[\"']?([^\s\"'<>(){}\[\]$;,]{8,128})(?=[\s\"',;]|$)",
    re.IGNORECASE,
)
DICED = re.compile(r"(?<![\w+=/.-])[A-Za-z0-9_+=-]{32,200}(?![\w+=/-])", re.ASCII)
MIN_BITS = 4.3
"""Entropy of each character. Hexadecimal digests and UUIDs stay below 4; English words in camel case below this."""


def bits(text: str) -> float:
    """Return Shannon's entropy of a text's characters, in bits for each."""
    length = len(text)
    return -sum(count / length * math.log2(count / length) for count in Counter(text).values())


def _is_diced(token: str) -> bool:
    kinds = any(map(str.isdigit, token)), any(map(str.islower, token)), any(map(str.isupper, token))
    if not all(kinds) or bits(token) < MIN_BITS:
        return False
    # Names in code change between letters and digits seldom, what is thrown with dice all the time.
    changes = sum(a.isdigit() != b.isdigit() for a, b in itertools.pairwise(token))
    return changes >= 5


def _is_password(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and not value.startswith(("http", "/", "os."))


class Secrets:
    """Finds secrets."""

    def find(self, text: str) -> Iterator[Finding]:
        """Yield what is found."""
        if "-----BEGIN" in text:
            yield from (_found("private_key", match.span()) for match in PRIVATE_KEY.finditer(text))
        if "eyJ" in text:
            yield from (_found("jwt", match.span()) for match in JWT.finditer(text))
        yield from (_found("api_key", match.span()) for match in KEYS.finditer(text))
        yield from (_found("password", match.span(1)) for match in ASSIGNED.finditer(text) if _is_password(match[1]))
        yield from (_found("token", match.span()) for match in DICED.finditer(text) if _is_diced(match[0]))

    def open_from(self, text: str) -> int:
        """Return where the last word begins, with what names it; a private key is open until its end."""
        at = open_token(text)
        named = text.rfind("-----BEGIN", max(0, len(text) - 8300))
        if named >= 0 and "PRIVATE KEY" in text[named : named + 70] and "-----END" not in text[named:]:
            return min(at, named)
        return max(0, min(at, len(text) - 24))


def _found(what: str, span: tuple[int, int]) -> Finding:
    return Finding(FilterKind.SECRETS, what, *span)
