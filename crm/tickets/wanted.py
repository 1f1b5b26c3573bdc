"""What an agreement wants of a request, and what of it a text leaves out. Pure.

People write such things in many ways; what is found too easily costs one question less, what is not found one more.
"""

import re
from collections.abc import Collection, Sequence
from typing import Literal

Field = Literal[
    "contract", "organization", "subject", "grade", "lesson", "online_lesson", "description", "full_name", "locality"
]

# Fewer words describe nothing.
DESCRIPTION_WORDS = 8
_I = re.IGNORECASE
_NUMBER = r"\s*(?:[:№#–-]|no\.?|номер\w*|number|нөмірі)*\s*[\w/-]*\d"
_PATTERNS: dict[str, re.Pattern[str]] = {
    "contract": re.compile(r"\b(?:договор\w*|контракт\w*|contract|agreement|шарт\w*|келісімшарт\w*)" + _NUMBER, _I),
    "organization": re.compile(
        r"\b(?:организаци\w*|учреждени\w*|школ[аыеу]\w*|гимнази\w*|лице[йяею]\w*|колледж\w*|университет\w*|ТОО|ООО|АО|ИП"
        r"|КГУ|МБОУ|МАОУ|ГБОУ|organi[sz]ation|school|company|college|university|LLP|LLC|ұйым\w*|мектеп\w*|мекеме\w*|ЖШС)\b",
        _I,
    ),
    "subject": re.compile(
        r"\b(?:предмет\w*|математик\w*|алгебр\w*|геометри\w*|физик\w*|хими\w*|биологи\w*|истори\w*|географи\w*"
        r"|информатик\w*|литератур\w*|(?:русск|английск|казахск|немецк)\w+ язык\w*|обществознани\w*"
        r"|subject|math\w*|physics|chemistry|biology|history|geography|пән\w*|тіл[іи]?|тарих|әдебиет)\b",
        _I,
    ),
    "grade": re.compile(
        r"\b(?:\d{1,2}\s*[-–]?\s*(?:й\s+|го\s+|м\s+)?[«\"']?[а-яa-z]?[»\"']?\s*(?:класс\w*|кл\.|сынып\w*|grade)"
        r"|(?:класс\w*|сынып\w*|grade|class)\s*[:–-]?\s*\d{1,2})",
        _I,
    ),
    "lesson": re.compile(
        r"(?<!онлайн-)(?<!онлайн )(?<!online )(?<!online-)\b(?:(?:урок\w*|сабақ\w*|lesson)"
        + _NUMBER
        + r"|\d{1,3}\s*[-–]?\s*(?:й\s+|го\s+)?(?:урок\w*|сабақ\w*|lesson))",
        _I,
    ),
    "online_lesson": re.compile(r"\b(?:онлайн|online)[\s-]*(?:урок\w*|сабақ\w*|lesson|занят\w*)" + _NUMBER, _I),
    "full_name": re.compile(r"\b[А-ЯЁӘҒҚҢӨҰҮҺІA-Z][\w'-]+\s+[А-ЯЁӘҒҚҢӨҰҮҺІA-Z][\w'-]+"),
    "locality": re.compile(
        r"\b(?:г\.|город\w*|с\.|сел[оае]\b|пос[её]л\w*|пгт|район\w*|област\w*|край|республик\w*|кала|қала\w*|ауыл\w*|аудан\w*"
        r"|облыс\w*|region|city|village|district|oblast)",
        _I,
    ),
}


def missing(fields: Sequence[Field], text: str, known: Collection[Field] = ()) -> list[Field]:
    """Those of the fields that the text leaves out and the desk does not know anyway."""
    return [field for field in fields if field not in known and not _there(field, text)]


def _there(field: Field, text: str) -> bool:
    if field == "description":
        return len(re.findall(r"\w+", text)) >= DESCRIPTION_WORDS
    return _PATTERNS[field].search(text) is not None
