"""What a mail's HTML tells about its text: the programs' own marks on signatures and on what they quote."""

import re
from dataclasses import dataclass

from lxml import html as lxml_html
from lxml.etree import LxmlError

LARGEST = 1_000_000  # characters of HTML that are looked through
LONGEST_SIGNATURE = 3000  # characters
MOST = 10  # signatures, and likewise quotes, that are told of

_SIGNED = re.compile(r"signature", re.IGNORECASE)
_QUOTING = re.compile(
    r"gmail_quote|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|OutlookMessageHeader|zmail_extra|protonmail_quote|"
    r"tutanota_quote|missive_quote|front-blockquote|sh-quoted-content|cm_replymail_content|messageReplySection|"
    r"OLK_SRC_BODY_SECTION|reference-message-container|isReplyContent|<blockquote",
    re.IGNORECASE,
)
_SIGNATURE_CLASSES = ("gmail_signature", "moz-signature", "protonmail_signature_block", "js-compose-signature")
_SIGNATURE_IDS = frozenset(
    ("signature", "x_signature", "ms-outlook-mobile-signature", "applemailsignature", "zmail_signature")
)
_QUOTE_CLASSES = (
    "gmail_quote",
    "yahoo_quoted",
    "moz-cite-prefix",
    "zmail_extra",
    "protonmail_quote",
    "tutanota_quote",
    "OutlookMessageHeader",
    "missive_quote",
    "front-blockquote",
    "sh-quoted-content",
    "cm_replymail_content",
)
_QUOTE_IDS = frozenset(
    (
        "divrplyfwdmsg",
        "x_divrplyfwdmsg",
        "olk_src_body_section",
        "mail-editor-reference-message-container",
        "isreplycontent",
    )
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


def hints(html: str | None, quotes_matter: bool) -> Hints:
    """Nothing when there is no HTML, when it bears no marks that matter, or when it can't be read."""
    if not html or len(html) > LARGEST:
        return Hints()
    if not _SIGNED.search(html) and not (quotes_matter and _QUOTING.search(html)):
        return Hints()
    try:
        parser = lxml_html.HTMLParser(encoding="utf-8")
        tree = lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (LxmlError, ValueError, RecursionError):
        return Hints()
    return _gather(tree)


def _gather(tree: lxml_html.HtmlElement) -> Hints:
    signatures: list[str] = []
    quotes: list[str] = []
    element: lxml_html.HtmlElement | None = tree
    while element is not None and max(len(signatures), len(quotes)) < MOST:
        inner = True
        if _is_quote(element):
            quotes.append(_first_line(element))
            inner = False
        elif _is_signature(element):
            signatures.append(squash(element.text_content()))
            inner = False
        element = _next(element, inner)
    return Hints(
        tuple(text for text in signatures if 0 < len(text) <= LONGEST_SIGNATURE), tuple(text for text in quotes if text)
    )


def _next(element: lxml_html.HtmlElement, inner: bool) -> lxml_html.HtmlElement | None:
    """The next element in the document's order; past what `element` holds unless `inner`."""
    if inner and len(element):
        return element[0]
    here: lxml_html.HtmlElement | None = element
    while here is not None:
        following = here.getnext()
        if following is not None:
            return following
        here = here.getparent()
    return None


def _is_signature(element: lxml_html.HtmlElement) -> bool:
    classes = element.get("class") or ""
    if "signature" in classes and any(name in classes for name in _SIGNATURE_CLASSES):
        return True
    return (element.get("id") or "").lower() in _SIGNATURE_IDS or element.get("data-signature-widget") == "container"


def _is_quote(element: lxml_html.HtmlElement) -> bool:
    classes = element.get("class") or ""
    if classes and any(name in classes for name in _QUOTE_CLASSES):
        return True
    if element.tag == "blockquote" and (element.get("type") == "cite" or element.get("cite") is not None):
        return True
    return (element.get("id") or "").lower() in _QUOTE_IDS or element.get("name") == "messageReplySection"


def _first_line(element: lxml_html.HtmlElement) -> str:
    for text in element.itertext():
        if text.strip():
            return squash(text)[:80]
    return ""
