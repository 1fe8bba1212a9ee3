"""Text without what nobody sees.

Characters without a shape can hold orders for a model that no person reads, and turn the direction of what is read.
What scripts and emoji need of them stays (Unicode Standard 17, §9.2, §12.1, §23.2; UTS #51, §1.4.9).
"""

import re
import unicodedata
from collections import Counter

from llm_ui.documents.parse.source import Left
from llm_ui.kit.text import storable

JOINING = "\u0600-\u109f\u1780-\u18af\u1a20-\u1cff\ua800-\uabff\U00010a00-\U00011fff"
"""Scripts whose letters take other shapes beside one another: Arabic, those of India and their relatives."""
PICTURES = "\u00a9\u00ae\u203c\u2049\u2122-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(each)) for each in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
"""The flags that are written with tags: those of England, Scotland and Wales."""
SHAPELESS = (
    "\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
NEEDED = (
    rf"(?P<flag>{FLAGS})"
    rf"|(?<=[{JOINING}])[\u200c\u200d](?![\s{SHAPELESS}])"
    rf"|(?<=[{PICTURES}\ufe0f])\u200d(?=[{PICTURES}])"
    rf"|(?<=[{PICTURES}#*0-9])[\ufe0e\ufe0f]"
    "|(?<=[\u3400-\u9fff\U00020000-\U000323af])[\ufe00-\ufe02\U000e0100-\U000e01ef]"
    "|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]"
    rf"|(?P<shapeless>[{SHAPELESS}])"
)
"""Compiled, which takes some milliseconds, when it is needed."""
SHAPELESS_RUN = re.compile(rf"[{SHAPELESS}]")
CONTROLS = dict.fromkeys([*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0), 0xAD])
"""With the soft hyphen, which only tells where a word may be broken."""
LINES = {0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
TABLE = str.maketrans({**CONTROLS, **LINES})
CONTROLLED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u2028\u2029\ud800-\udfff]")


def clean(text: str, left: Counter[Left]) -> str:
    """Return the text with lines that end in \\n, composed (NFC), without what has no shape; count that."""
    if CONTROLLED.search(text):
        text = storable(text.replace("\r\n", "\n").replace("\r", "\n")).translate(TABLE)
    if SHAPELESS_RUN.search(text):
        text = re.sub(NEEDED, lambda found: _kept(found, left), text.removeprefix("\ufeff"))
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _kept(found: re.Match[str], left: Counter[Left]) -> str:
    if found["shapeless"] is None:
        return found[0]
    left[Left.INVISIBLE_CHARACTERS] += 1
    return ""
