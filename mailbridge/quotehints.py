"""What a mail's HTML tells about its text: the programs' own marks on signatures and on what they quote."""

import re
from dataclasses import dataclass

from lxml import html as lxml_html
from lxml.etree import LxmlError, ParserError

LARGEST = 1_000_000  # characters of HTML that are looked through
LONGEST_SIGNATURE = 3000  # characters
_MARKED = re.compile(
    r"gmail_signature|moz-signature|id=\W?x?_?Signature\W|signature|gmail_quote|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|"
    r"appendonsend|OutlookMessageHeader|zmail_extra|protonmail_quote|tutanota_quote|<blockquote",
    re.IGNORECASE,
)
_SIGNATURE = (
    "//*[contains(@class,'gmail_signature') or contains(@class,'moz-signature') or contains(@class,'protonmail_signature_block')"
    " or @id='Signature' or @id='x_Signature' or @id='ms-outlook-mobile-signature' or @id='ms-outlook-mobile-body-separator-line'"
    " or contains(@class,'elementToProof-signature') or @id='AppleMailSignature' or @data-signature-widget='container'"
    " or contains(@class,'js-compose-signature') or @id='zmail_signature']"
)
_QUOTE = (
    "//*[contains(@class,'gmail_quote') or contains(@class,'yahoo_quoted') or contains(@class,'moz-cite-prefix')"
    " or contains(@class,'zmail_extra') or contains(@class,'protonmail_quote') or contains(@class,'tutanota_quote')"
    " or contains(@class,'OutlookMessageHeader') or @id='divRplyFwdMsg' or @id='x_divRplyFwdMsg'"
    " or (self::blockquote and (@type='cite' or @cite))]"
)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Hints:
    """`signatures`: their texts without spaces; `quotes`: the first line of each stretch that is quoted, likewise."""

    signatures: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()


def squash(text: str) -> str:
    """Letters alone, for comparing across renderings."""
    return _SPACES.sub("", text.replace("\xa0", "").replace("\u200b", "")).lower()


def hints(html: str | None) -> Hints:
    """Nothing when there is no HTML, when it bears no marks, or when it can't be read."""
    if not html or len(html) > LARGEST or not _MARKED.search(html):
        return Hints()
    try:
        tree = lxml_html.document_fromstring(
            html.encode("utf-8", "replace"), parser=lxml_html.HTMLParser(encoding="utf-8")
        )
    except (LxmlError, ParserError, ValueError, RecursionError):
        return Hints()
    quotes = [found for found in tree.xpath(_QUOTE) if isinstance(found, lxml_html.HtmlElement)]
    inside = {id(element) for quote in quotes[:50] for element in quote.iterdescendants() if _quoting(quote)}
    signatures = [
        squash(found.text_content())
        for found in tree.xpath(_SIGNATURE)
        if id(found) not in inside and found not in quotes
    ]
    outer = [quote for quote in quotes if id(quote) not in inside]
    return Hints(
        tuple(text for text in signatures[:5] if 0 < len(text) <= LONGEST_SIGNATURE),
        tuple(filter(None, map(_first_line, outer[:10]))),
    )


def _quoting(element: lxml_html.HtmlElement) -> bool:
    return "moz-cite-prefix" not in element.get("class", "")


def _first_line(element: lxml_html.HtmlElement) -> str:
    for text in element.itertext():
        if text.strip():
            return squash(text)[:80]
    return ""
