"""What a program or a company hangs below a person's words: signatures, «Sent from my iPhone», disclaimers.

The convention. A delimiter ("--", a rule above a few short lines) ends the message: what is below it is dropped.
A closing with a bare name («Thanks, Bob») was written by the person and stays. A closing above a block of contacts
(title, company, telephone, site) is the head of a stored signature and goes with it. This is what the field's test
corpora do: those of Discourse and GitHub keep closings, all drop what is below a delimiter.
"""

import re
from collections.abc import Sequence

from mailbridge.closings import CLOSING, OPENS_WITH_CLOSING, POSITION

_DELIMITER = re.compile(r"^\s{0,3}(?:--|—|––|-- --|__|\+\+|==|ᐧ)\s*$")
_RULE = re.compile(r"^\s{0,3}(?:[_\-–—=*~+#]{3,}|(?:[-_*] ){3,}[-_*]?)\s*$")
_FOOTED = re.compile(
    r"mailing list|mailman/listinfo|list info|unsubscribe|google groups|yahoo! groups|to post to this|отписаться|"
    r"checked for viruses|avast\.|virus-free|проверен[оа]? на (?:наличие )?вирус|без вирусов|"
    r"do you yahoo|join the world|hotmail|find .{0,30} for free",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w/.=-])\+?\(?\d[\d \t()./–-]{6,20}\d(?![\w/])")
_REACH = re.compile(
    r"[\w.+-]+@[\w-]+\.|https?://|\bwww\.|\b(?:tel|phone|mob|mobile|cell|fax|office|direct|skype|telegram|whatsapp|"
    r"ext|"
    r"тел|моб|факс|телефон|раб|сот|внутр|вн|ұялы|офис|сайт|эл|почта|email|e-mail|web|t|m|p|f|т|м)\b\.? ?[.:/|+(]",
    re.IGNORECASE,
)
_NAME_AND_POST = re.compile(r"^(?:[^\W\d_][\w.'’-]* ){1,3}[|•·/] ?\S.{2,60}$")
_GRATITUDE = re.compile(
    r"^(?:.{0,20}\b)?(?:thank|спасибо|благодар|рахмет|дякую|danke?|merci|grac|graz|obrig|bedankt).{0,30}[!.]$",
    re.IGNORECASE,
)
_NAME = re.compile(r"^[*_]*(?:[A-ZА-ЯЁӘҒҚҢӨҰҮІЄЇÀ-Þ][\w.'’-]*[ ,]{0,2}){1,4}[*_]*$")
_POSTSCRIPT = re.compile(r"^\s*(?:p\.? ?s\b|п\.? ?с\b|з\.? ?ы\b|ps[:.]|nb[:.])", re.IGNORECASE)
_DISCLAIMER = re.compile(
    r"^[\s*_>\[(]*(?:confidential(?:ity)?(?: (?:notice|note|information|statement))?\b.{0,3}[:.\n-]|disclaimer\b|"
    r"legal notice|"
    r"(?:notice|important|warning|note|caution) ?: this (?:e-?mail|message|communication)|privileged and confidential|"
    r"(?:this|the information (?:contained )?in this|the contents of this) (?:e-?mail|message|communication|"
    r"electronic "
    r"(?:mail|message))(?: message| transmission)?\b.{0,80}(?:intended|confidential|privileged|attach|contain|may)|"
    r"if you (?:are not|have received this) .{0,60}(?:intended recipient|in error|by mistake)|"
    r"please consider the environment|think before you print|before printing|save a tree|"
    r"(?:данное|настоящее|это|указанное) (?:электронное )?(?:сообщение|письмо|послание)\b.{0,120}(?:конфиденц|"
    r"предназнач|"
    r"вложени|содерж)|(?:внимание|уведомление о конфиденциальности|конфиденциально|конфиденциальность|"
    r"отказ от ответственности)\b.{0,3}[!:.\n]|информация, содержащаяся в (?:данном|настоящем|этом)|"
    r"(?:пожалуйста, )?подумайте об? (?:окружающей среде|экологии)|прежде чем распечатать|"
    r"(?:осы|бұл) (?:электрондық )?(?:хат|хабарлама|хабар)\b.{0,120}(?:құпия|арналған|тіркел)|"
    r"(?:це|дане) (?:електронне )?(?:повідомлення|лист)\b.{0,120}(?:конфіденц|призначен)|"
    r"diese (?:e-?mail|nachricht)\b.{0,80}(?:vertraulich|enthält|bestimmt)|der inhalt dieser e-?mail|"
    r"ce (?:message|courriel|mail)\b.{0,80}(?:confidentiel|pièces jointes|destin)|"
    r"este (?:mensaje|correo|e-?mail)\b.{0,100}(?:confidencial|destin|adjunt)|aviso (?:legal|de confidencialidad)|"
    r"esta mensagem\b.{0,80}(?:confidencia|destin)|questo messaggio\b.{0,80}(?:riservat|confiden|destinat)|"
    r"(?:dit e-?mailbericht|deze e-?mail|dit bericht)\b.{0,80}(?:vertrouwelijk|bestemd)|"
    r"(?:niniejsza|ta) wiadomość\b.{0,80}(?:poufn|przeznacz)|bu (?:e-?posta|ileti|mesaj)\b.{0,80}(?:gizli|kişi)|"
    r"detta (?:e-?post)?meddelande\b.{0,80}(?:konfident|avsett)|denne (?:e-?mail|e-?post)\b.{0,80}(?:fortrolig|"
    r"konfident))",
    re.IGNORECASE,
)
_BANNER = re.compile(
    r"^[\s*_\[(!]*(?:external(?: e-?mail| sender| message)?[\s\])!:*]*$|(?:caution|warning|attention|"
    r"внимание)\b[:! ]{1,3}.{0,40}"
    r"(?:external|originated (?:from )?outside|outside (?:of )?(?:the|your) organi|внешн)|"
    r"you don'?t often get (?:e-?mail|messages?) from|(?:learn|узнайте|"
    r"дополнительные сведения) .{0,40}(?:this is important|это важно)|"
    r"(?:some people who received this message|(?:вы|сіз)) (?:don'?t often|не часто|нечасто|редко) (?:get|получаете)|"
    r"\[?external\]? ?(?:e-?mail)? ?:|external\b[^\]]{0,20}\]|внешн(?:ее|яя) (?:письмо|почта|сообщение)|"
    r"(?:this|это) (?:e-?mail|message|письмо|сообщение) (?:is|was sent|originated|came|получено|пришло|от) .{0,40}"
    r"(?:external|outside|внешн|извне))",
    re.IGNORECASE,
)
SHORT = 80  # characters: a line of a signature
DEEPEST = 14  # lines of one below its delimiter or closing
DEEPEST_DELIMITED = 40
LOWEST = 200  # lines, blank ones too, that can still be a signature


def cut_delimited(lines: list[str]) -> list[str]:
    """Lines of one stretch of own words up to a signature delimiter."""
    end = len(lines)
    below: list[str] = []
    for place in range(len(lines) - 1, max(0, len(lines) - LOWEST) - 1, -1):
        line = lines[place]
        ruled = line.lstrip()[:1] in _STARTS and (_DELIMITER.match(line) or _RULE.match(line))
        if ruled and _ends_message(lines[:end], place, below):
            end, below = place, []
        elif line.strip():
            below.insert(0, line)
    return lines[:end]


_STARTS = frozenset("-—–_+=ᐧ*~#")


def _ends_message(lines: Sequence[str], place: int, below: Sequence[str]) -> bool:
    line = lines[place]
    if not below or line == "-- ":
        return True
    if _is_underline(lines, place):
        return False
    if any(_FOOTED.search(text[:300]) for text in below[:3]):
        return True
    if _DISCLAIMER.match(below[0][:400]):
        return True
    if _DELIMITER.match(line):
        prose = any(len(text) > SHORT and not looks_like_contact(text) for text in cut_disclaimer(["", *below]))
        return len(below) <= DEEPEST_DELIMITED and not prose
    if _is_heading(lines, place) or len(below) > DEEPEST:
        return False
    closing = sum(CLOSING.match(text.strip()) is not None for text in below[:2])
    if line in lines[max(0, place - LOWEST) : place] or line in below:
        return False
    touching = place + 1 < len(lines) and bool(lines[place + 1].strip())
    contacts = sum(looks_like_contact(text) for text in below)
    return all(len(text) <= SHORT for text in below) and (touching or contacts >= 2 or (closing > 0 and contacts > 0))


def _is_underline(lines: Sequence[str], place: int) -> bool:
    """As long as the title above it."""
    above, line = lines[place - 1].strip() if place else "", lines[place].strip()
    return line[0] != "_" and len(line) > 3 and bool(above) and abs(len(above) - len(line)) <= 3


def _is_heading(lines: Sequence[str], place: int) -> bool:
    """An underlined title, or a rule of a table."""
    return place > 0 and bool(lines[place - 1].strip()) and place + 1 < len(lines) and bool(lines[place + 1].strip())


def looks_like_contact(line: str) -> bool:
    return _reaches(line) or POSITION.search(line[:200]) is not None


def _reaches(line: str) -> bool:
    """Whether it names a telephone, an address, a site."""
    return bool(_PHONE.search(line[:200]) or _REACH.search(line[:200]))


def cut_closing(lines: list[str]) -> list[str]:
    """Lines without the stored signature below their closing; a closing with a bare name stays."""
    filled = [place for place, line in enumerate(lines) if line.strip()]
    for depth, place in enumerate(reversed(filled)):
        if depth > DEEPEST:
            break
        text = lines[place].strip()
        below = [lines[later].strip() for later in filled if later > place]
        if OPENS_WITH_CLOSING.match(text[:SHORT]) and _reaches(text) and len(text) <= 2 * SHORT and place != filled[0]:
            return lines[:place] if not below or _stored(below) else lines
        if len(text) > SHORT or not CLOSING.match(text):
            continue
        if not _stored(below):
            return lines
        if _GRATITUDE.match(text):
            return lines[: place + 1] if _NAME.match(below[0]) else lines
        return lines if place == filled[0] else lines[:place]
    return _cut_contacts(lines)


def _stored(below: Sequence[str]) -> bool:
    if not below or any(len(line) > 2 * SHORT or _POSTSCRIPT.match(line) for line in below):
        return False
    if below[0].endswith((":", "：")) or "http" in below[0] or len(below[0].split()) > 6:
        return False
    if any(line[-1] in ".?!" and len(line.split()) > 5 and not looks_like_contact(line) for line in below):
        return False
    return len(below) >= 3 or any(looks_like_contact(line) for line in below)


def _cut_contacts(lines: list[str]) -> list[str]:
    """A last paragraph of a name and at least two ways to reach them."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and lines[start - 1].strip() and end - start <= DEEPEST:
        start -= 1
    block = [line.strip() for line in lines[start:end]]
    above = next((line for line in reversed(lines[:start]) if line.strip()), ":")
    if not 1 <= len(block) <= DEEPEST or above.rstrip().endswith((":", "：")):
        return lines
    if _NAME_AND_POST.match(block[0]) and POSITION.search(block[0]) and len(block) <= 5:
        return lines[:start]
    words = block[0].split()
    named = 2 <= len(words) <= 4 and all(word[0].isupper() for word in words) and ":" not in block[0]
    contacts = sum(map(looks_like_contact, block[1:]))
    if (
        named
        and len(block) >= 3
        and contacts >= 2
        and any(map(_reaches, block[1:]))
        and all(len(line) <= SHORT for line in block)
    ):
        return lines[:start]
    return lines


def cut_disclaimer(lines: list[str]) -> list[str]:
    """Lines up to a legal notice that follows a blank line."""
    for place, line in enumerate(lines):
        if place and not lines[place - 1].strip() and line.strip() and len(line) < 5000:
            joined = " ".join(text.strip() for text in lines[place : place + 3])[:400]
            if _DISCLAIMER.match(joined):
                return lines[:place]
    return lines


def without_banner(lines: list[str]) -> list[str]:
    """Lines without the warning that a mail system put on top."""
    filled = [place for place, line in enumerate(lines[:12]) if line.strip()]
    for place in filled[:2]:
        if _BANNER.match(lines[place][:300]):
            end = place + 1
            while end < len(lines) and lines[end].strip() and end - place < 6:
                end += 1
            if any(line.strip() for line in lines[end:]):
                return without_banner(lines[:place] + lines[end:])
    return lines
