"""HTML to text that reads like a plain mail, and to HTML that is safe to show."""

import re
from collections.abc import Mapping

import nh3
from lxml import etree

# Of what is longer the beginning is read; nobody has written that by hand.
LARGEST = 3_000_000
DEEPEST_QUOTE = 12

_DROPPED = {"head", "title", "style", "script", "template", "object", "embed", "applet", "iframe", "svg", "math"}
_DROPPED |= {"audio", "video", "canvas", "select", "datalist", "frameset", "xml"}
_BLOCKS = {"div", "section", "article", "header", "footer", "main", "aside", "nav", "address", "center", "form"}
_BLOCKS |= {"table", "tbody", "thead", "tfoot", "tr", "caption", "li", "dt", "dd", "fieldset", "figure", "body", "html"}
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "dl"}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$|!)|max-height\s*:\s*0(?:px)?\s*(?:;|$|!)",
    re.I,
)
_NO_MARGIN = re.compile(r"margin(?:-bottom)?\s*:\s*0(?:px|pt|cm|in)?(?![.\d])(?:\s+0|\s+auto|\s*;|\s*$|\s*!)", re.I)
_NO_BORDER = re.compile(r"border(?:-left)?\s*:\s*(?:none|0)", re.I)
_TIGHT = re.compile(r"\b(?:Mso(?:Normal|PlainText|ListParagraph|NoSpacing|Header|Footer)|x_Mso|Apple-)")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_EMPTY_LINES = re.compile(r"^((?:> )*>?\n)\1+", re.M)
_RUNS = re.compile(r" {2,}")
_RULE = "_" * 32


class _Lines:
    """Receives the events of the parser; `close` gives the text."""

    def __init__(self, hide: bool = True) -> None:
        self.hide = hide
        self.lines: list[str] = []
        self.line: list[str] = []
        self.gap = 0  # empty lines owed before the next text
        self.hidden = 0
        self.quotes: list[bool] = []
        self.depth = self.last_depth = 0
        self.preformatted = 0
        self.lists: list[int | None] = []
        self.bullet = ""
        self.links: list[tuple[str, int]] = []
        self.margins: list[int] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self.hidden or tag in _DROPPED or (self.hide and _is_hidden(attributes)):
            self.hidden += 1
            return
        match tag:
            case "br":
                self._end_line(forced=True)
            case "hr":
                self._block(0)
                self.line.append(_RULE)
                self._block(0)
            case "blockquote":
                self._block(0)
                indent = _NO_BORDER.search(attributes.get("style", "")) and "cite" not in attributes.get("type", "")
                self.quotes.append(not indent)
                self.depth += not indent
            case "td" | "th":
                if any(piece.strip() for piece in self.line):
                    self.line.append("\t")
            case "a":
                self.links.append((attributes.get("href", ""), len(self.line)))
            case "img":
                alt = attributes.get("alt", "")
                # A smiley that the program has made a picture of.
                if 0 < len(alt) <= 3 and not alt.isascii():
                    self.data(alt)
            case "ul" | "ol":
                self._block(0 if self.lists else 1)
                self.lists.append(0 if tag == "ol" else None)
            case "li":
                self._block(0)
                self.bullet = self._next_bullet()
            case _ if tag in _SPACED:
                self.margins.append(0 if self.lists else _margin(attributes))
                self._block(self.margins[-1])
                self.preformatted += tag == "pre"
            case _ if tag in _BLOCKS:
                self._block(0)

    def end(self, tag: str) -> None:
        if self.hidden:
            self.hidden -= 1
            return
        match tag:
            case "blockquote":
                self._block(0)
                if self.quotes:
                    self.depth -= self.quotes.pop()
            case "a":
                if self.links:
                    self._end_link(*self.links.pop())
            case "ul" | "ol":
                self._block(0)
                if self.lists:
                    self.lists.pop()
                self.gap = max(self.gap, 0 if self.lists else 1)
            case "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "pre":
                self.preformatted -= tag == "pre" and self.preformatted > 0
                self._block(0)
                self.gap = max(self.gap, self.margins.pop() if self.margins else 0)
            case _ if tag in _BLOCKS:
                self._block(0)
                if tag == "li":
                    self.bullet = ""

    def data(self, data: str) -> None:
        if self.hidden:
            return
        if self.preformatted:
            first, *others = data.replace("\r\n", "\n").split("\n")
            self.line.append(first)
            for other in others:
                self._end_line(forced=True)
                self.line.append(other)
            return
        text = _BLANKS.sub(" ", data)
        if text != " " or self.line:
            self.line.append(text)

    def comment(self, text: str) -> None:
        pass

    def close(self) -> str:
        self._end_line()
        return _EMPTY_LINES.sub(r"\1", "\n".join(self.lines)).strip("\n")

    def _block(self, gap: int) -> None:
        self._end_line()
        self.gap = max(self.gap, gap)

    def _end_line(self, forced: bool = False) -> None:
        if not self.line and not forced:
            return
        text = "".join(self.line)
        self.line = []
        # A paragraph of a single no-break space is an empty line that somebody wanted.
        if not (forced or text.strip(" ")):
            return
        text = text.replace("\xa0", " ")
        text = text.rstrip() if self.preformatted else _RUNS.sub(" ", text).strip(" ")
        depth = min(self.depth, DEEPEST_QUOTE)
        quote = "> " * depth
        if self.lines:
            # What lies between two depths belongs to neither quote.
            self.lines += [
                "> " * min(depth, self.last_depth - 1) + ">" if min(depth, self.last_depth) else ""
            ] * self.gap
        self.gap, self.last_depth = 0, depth
        self.lines.append((quote + self.bullet + text.strip("\t")).rstrip())
        self.bullet = ""

    def _next_bullet(self) -> str:
        indent = "  " * (min(len(self.lists), 6) - 1)
        number = self.lists[-1] if self.lists else None
        if number is None:
            return f"{indent}- "
        self.lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _end_link(self, target: str, since: int) -> None:
        shown = "".join(self.line[since:]).strip()
        target = target.strip()
        same = re.sub(r"^(?:https?://)?(?:www\.)?|/$", "", shown.lower())
        plain = re.sub(r"^(?:https?://)?(?:www\.)?|/$", "", target.lower())
        if shown and target.lower().startswith(("http://", "https://")) and same != plain and len(target) <= 300:
            self.line.append(f" <{target}>")


def _margin(attributes: Mapping[str, str]) -> int:
    if _TIGHT.search(attributes.get("class", "")) or _NO_MARGIN.search(attributes.get("style", "")):
        return 0
    return 1


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return "hidden" in attributes or ("style" in attributes and bool(_HIDDEN.search(attributes["style"])))


def text(html: str) -> str:
    """As plain text: quotes with `> `, lists with dashes, a link with its address where its words don't say it."""
    data = html[:LARGEST].encode("utf-8", "replace")
    found = _read(data, hide=True)
    # Whoever hides everything has forgotten an end tag.
    return found if found.strip() else _read(data, hide=False)


def _read(data: bytes, hide: bool) -> str:
    parser = etree.HTMLParser(target=_Lines(hide), encoding="utf-8", huge_tree=True)
    try:
        parser.feed(data)
        return str(parser.close())
    except etree.LxmlError:
        return re.sub(r"<[^<>]*>", " ", data.decode("utf-8", "replace"))


_STYLES = {"color", "background-color", "font-weight", "font-style", "text-decoration", "text-align", "white-space"}
_EVERYWHERE = {"style", "dir", "lang", "title"}
_ALLOWED = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
    "table": {"border", "cellpadding", "cellspacing"},
    "font": {"color"},
    "*": _EVERYWHERE,
}
_TAGS = (nh3.ALLOWED_TAGS | {"font", "big"}) - {"map", "area"}
_NOT_PLAIN_STYLE = re.compile(r"url|expression|import|[\\@]|/\*|<", re.I)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        # Pictures within the mail; a remote one tells its sender who reads where.
        return value if value[:4].lower() == "cid:" else None
    if name == "style" and _NOT_PLAIN_STYLE.search(value):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "noscript", "template", "iframe", "object", "svg"},
    attributes=_ALLOWED,
    attribute_filter=_attribute,
    filter_style_properties=_STYLES,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


def safe(html: str) -> str:
    """Without scripts, handlers, forms, remote pictures and styles that fetch or cover anything."""
    return _CLEANER.clean(html[:LARGEST])
