"""How much: numbers as people write them in Kazakh, Russian and English, and what is offered to choose from. Pure.

Whatever can be read in two ways is not guessed.
"""

import math
import re
from decimal import Decimal

from crm.cloud.rules import Resource
from crm.cloud.words import MIB_OF_GIB
from crm.errors import WrongInput

# No limit is higher (`rules.Limits`).
MOST = 10_000_000
_SHARES = (Decimal("1.25"), Decimal("1.5"), Decimal(2))
_UNITS = {"m": 1, "м": 1, "g": MIB_OF_GIB, "г": MIB_OF_GIB, "t": MIB_OF_GIB**2, "т": MIB_OF_GIB**2}
_NUMBER = re.compile(r"([\d.,]+)(?:([mgtмгт])(?:i?b|б)?)?", re.ASCII)
# «1 024» with any of the blanks that divide thousands; «1'024».
_BLANKS = re.compile(r"[\s\u00a0\u2009\u202f']+")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
_PLAIN = re.compile(r"\d+([.,]\d+)?", re.ASCII)


def looks_like_number(words: str) -> bool:
    """Whether it was meant as one: short, in one line, with a digit; anything else is a request in one's own words."""
    return len(words) <= 24 and "\n" not in words and re.search(r"\d", words) is not None


def parse(resource: Resource, words: str, language: str) -> int:
    """`64`, `64 GB`, `1 024`, `1,5 ТБ`: memory in MiB, meant in GB without a unit.

    Raises WrongInput for what is no number, is none of whole pieces, or can be read in two ways.
    """
    found = _NUMBER.fullmatch(_BLANKS.sub("", words.strip().lower()))
    if found is None or not _grouped(words) or (found[2] and resource != "ram"):
        raise WrongInput(what="amount")
    value = _decimal(found[1], language)
    if resource == "ram":
        value *= _UNITS[found[2] or "g"]
    if value != value.to_integral_value() or not 0 < value <= MOST:
        raise WrongInput(what="amount")
    return int(value)


def _grouped(words: str) -> bool:
    """Blanks between digits divide thousands; «1 5» is two numbers."""
    digits = re.findall(r"\d+", _BLANKS.sub(" ", words).partition(",")[0].partition(".")[0])
    return len(digits) < 2 or (len(digits[0]) <= 3 and all(len(group) == 3 for group in digits[1:]))


def _decimal(written: str, language: str) -> Decimal:
    """A comma is for parts, in English for thousands."""
    if language == "en" and _THOUSANDS.fullmatch(written):
        return Decimal(written.replace(",", ""))
    if not _PLAIN.fullmatch(written):
        raise WrongInput(what="amount")
    return Decimal(written.replace(",", "."))


def offered(resource: Resource, allowed: int, most: int | None) -> list[tuple[str, int]]:
    """A quarter more, half more, twice as much, as far as that can be had: `[("+25 %", 13), …]`; memory in whole GB."""
    whole = MIB_OF_GIB if resource == "ram" else 1
    made: dict[int, str] = {}
    for share in _SHARES:
        value = math.ceil(allowed * share / whole) * whole
        if allowed < value <= min(MOST, MOST if most is None else most):
            made[value] = "×2" if share == 2 else f"+{(share - 1) * 100:.0f} %"
    return [(label, value) for value, label in made.items()]
