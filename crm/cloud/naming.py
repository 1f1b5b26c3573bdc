"""What a new cabinet is called in the cloud: letters that every cloud takes. Pure."""

import re
import unicodedata

_ONE_BY_ONE = str.maketrans("абвгдезийклмнопрстуфыэёәғқңөұүһі", "abvgdeziiklmnoprstufyeeagqnouuhi")
_BY_SEVERAL = {
    "ж": "zh",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sh",
    "ю": "yu",
    "я": "ya",
    "ъ": "",
    "ь": "",
}
_LONGEST = 30


def latin(name: str) -> str:
    """`ТОО «Айгүл Trade»` is `too-aigul-trade`; empty if nothing of it can be written so."""
    spelled = "".join(_BY_SEVERAL.get(letter, letter) for letter in name.lower().translate(_ONE_BY_ONE))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].rstrip("-")


def account(reference: str, name: str) -> str:
    """`pd-aigul-trade-1042` for PD-1042: nobody else is called so, because no other ticket has that number."""
    prefix, _, number = reference.lower().partition("-")
    return "-".join(filter(None, (prefix, latin(name), number)))
