"""Characters that are not to be kept, or not to be shown among our own words. Pure."""

import re
import unicodedata
from typing import Any

# An emoji of several is joined by it; anywhere else it is only invisible.
_JOINER = "\u200d"
_EMOJI = re.compile("[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]")

_UNSEEN = frozenset({"Cf", "Cc", "Cs", "Zl", "Zp"})


def storable(found: Any) -> Any:
    """The same JSON without what PostgreSQL cannot hold: NUL and halves of characters.

    Each becomes one sign of a missing character, so that the places of a text's entities stay right.
    """
    if isinstance(found, str):
        return found.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(found, list):
        return [storable(one) for one in found]
    if isinstance(found, dict):
        return {storable(key): storable(value) for key, value in found.items()}
    return found


def visible(line: str) -> str:
    """One line without marks of direction, zero-width and control characters: it moves nothing that stands around."""
    kept: list[str] = []
    for sign in line:
        joins = sign == _JOINER and kept and _EMOJI.match(kept[-1])
        if joins or unicodedata.category(sign) not in _UNSEEN:
            kept.append(sign)
    return "".join(kept)
