"""The answer to «is it solved?» by mail: what our links write for the customer, and what unmistakably means the same.

Pure. Anything doubtful is no choice but a message, and a message to a solved ticket is read by a person.
"""

import re
from functools import cache
from typing import Literal, get_args

from crm.desks import Language
from crm.texts import Texts, texts
from crm.tickets.thanks import only_thanks

Choice = Literal["confirm", "reject"]
# Characters that are looked at: what is longer is a message anyway.
LONGEST = 4000

# Whole sentences, in small letters and without marks.
_CONFIRM = """
    да | да работает | да все работает | все работает | теперь работает | теперь все работает | работает
    да решено | решено | вопрос решен | проблема решена | подтверждаю | все хорошо работает | заработало
    да заработало | все заработало | да теперь все работает | да подтверждаю
    иә | иә жұмыс істейді | жұмыс істейді | бәрі жұмыс істейді | иә бәрі жұмыс істейді | жұмыс істеп тұр
    иә жұмыс істеп тұр | бәрі жұмыс істеп тұр | иә бәрі жұмыс істеп тұр | шешілді | иә шешілді | растаймын
    иә растаймын | мәселе шешілді
    yes | yes it works | it works | it works now | yes it works now | everything works | yes everything works
    everything works now | it is solved | solved | yes solved | confirmed | i confirm | works | works now
"""
_REJECT = """
    нет | не решено | не работает | нет не работает | все еще не работает | всё ещё не работает | до сих пор не работает
    нет не решено | не решена | проблема не решена | вопрос не решен | по-прежнему не работает | так и не работает
    жоқ | шешілмеді | жоқ шешілмеді | жұмыс істемейді | жоқ жұмыс істемейді | әлі жұмыс істемейді
    жұмыс істемей тұр | әлі жұмыс істемей тұр | әлі де жұмыс істемейді | мәселе шешілмеді | шешілген жоқ
    no | not solved | it is not solved | not working | it does not work | it doesnt work | still not working
    no it does not work | no it doesnt work | it still does not work | it still doesnt work | still broken
"""
_GESTURES: dict[str, Choice] = {"+": "confirm", "👍": "confirm", "✅": "confirm", "👎": "reject", "❌": "reject"}
_REFERENCE = re.compile(r"\b[a-z]{2,4}-\d{1,18}\b")
_BARE = re.compile(r"[^\w\s-]|_|(?<!\w)-|-(?!\w)")


def code(choice: Choice, reference: str, t: Texts) -> str:
    """What the link of that choice writes for the customer: the first line of the answer."""
    if choice == "confirm":
        return t("I confirm: {reference} is solved", reference=reference)
    return t("Not solved: {reference}", reference=reference)


def choice(text: str) -> Choice | None:
    """What an answer (without quotes and signature) chooses, if that is beyond doubt.

    The line that a link wrote counts whatever follows it. Words of one's own confirm only where nothing but thanks
    stands beside them; a rejection may go on with its reason.
    """
    lines = [line for line in text[:LONGEST].splitlines() if line.strip()]
    if not lines:
        return None
    first, rest = lines[0], " ".join(lines[1:])
    if (written := _codes().get(_bare(first))) is not None:
        return written
    if "?" in first:
        return None
    gesture = _GESTURES.get(first.strip().rstrip("\ufe0f+") or "+")
    meant = gesture or _words().get(_bare(first)) or _sentence(first)
    if meant == "confirm" and rest and not only_thanks({"type": "text", "text": rest}):
        return None
    return meant


def _sentence(line: str) -> Choice | None:
    """«Да, работает. Спасибо!» and «Не работает. Пишет ошибку»: the first sentence says it."""
    head, mark, tail = (*re.split(r"([.!;])", line, maxsplit=1), "", "")[:3]
    meant = _words().get(_bare(head)) if mark else None
    if meant == "confirm":
        return meant if only_thanks({"type": "text", "text": tail}) else None
    return meant


def _bare(line: str) -> str:
    """In small letters, without marks and the ticket's reference."""
    small = _REFERENCE.sub(" ", line.strip().lower().replace("ё", "е").replace("'", "").replace("’", ""))
    return " ".join(_BARE.sub(" ", small).split())


@cache
def _words() -> dict[str, Choice]:
    both: tuple[tuple[str, Choice], ...] = ((_CONFIRM, "confirm"), (_REJECT, "reject"))
    return {_bare(words): meant for text, meant in both for words in re.split(r"[|\n]", text) if words.strip()}


@cache
def _codes() -> dict[str, Choice]:
    """The links' own lines in each language, whatever the ticket."""
    return {
        _bare(code(meant, "AA-1", texts(language))): meant
        for language in get_args(Language)
        for meant in get_args(Choice)
    }
