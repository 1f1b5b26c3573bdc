"""Whether a message is nothing but thanks: such words after an answer ask for nothing. Pure."""

import re
from typing import Any

LONGEST = 60
_KAZAKH = """
    рахмет рақмет раxмет көп үлкен мың сізге сіздерге бәріңізге алғыс айтамын жақсы болды түсінікті түсіндім
    тез жедел жауабыңызға көмегіңізге жауап көмек үшін
"""
_RUSSIAN = """
    спасибо пасиб спс большое огромное вам вас всем благодарю благодарим за помощь ответ быстрый оперативность
    хорошо понятно понял поняла ок окей отлично супер все всё хорошего дня и
"""
_ENGLISH = """
    thanks thank thx ty cheers you very so much many a lot great ok okay perfect got it for the your help quick
    answer reply everyone all super
"""
_WORDS = frozenset(f"{_KAZAKH} {_RUSSIAN} {_ENGLISH}".split())
# One of these has to be there, or a gesture instead of words: «all for the answer» is no thanks.
_THANKS = re.compile(
    r"рахмет|рақмет|раxмет|алғыс|спасиб|пасиб|спс|благодар|thank|thx|\bty\b|cheers"
    r"|^\W*(ок|окей|ok|okay|понятно|понял|поняла|түсінікті|түсіндім|отлично|great|perfect|got it)\W*$"
)
_GESTURES = re.compile(r"[👍👌🙏🤝❤♥😊🙂😀😁🥰💪🔥✅🫶🌹💐\ufe0f\u200d\U0001f3fb-\U0001f3ff\s]+")


def only_thanks(content: dict[str, Any]) -> bool:
    """Short and in words of thanks alone (kk, ru, en), or a gesture. A question, a figure, a picture is a request."""
    if content["type"] != "text" or any(not file["inline"] for file in content.get("files", ())):
        return False
    words = content.get("text", "").strip().lower()
    if not words or len(words) > LONGEST or "?" in words:
        return False
    if _GESTURES.fullmatch(words):
        return True
    bare = re.findall(r"\w+", _GESTURES.sub(" ", words))
    return bool(bare) and bool(_THANKS.search(words)) and all(word in _WORDS for word in bare)
