"""What people read, in their language: gettext catalogues under `locales/`, one for bot, mail and pages.

The source texts are English; catalogues are read as they are written (`.po`), so there is no build step.
"""

import io
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).resolve().parent.parent / "locales"
DOMAIN = "kezekshi"


@cache
def catalogue(language: str) -> GNUTranslations:
    """Raises FileNotFoundError for a language without a catalogue."""
    path = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Texts:
    """The texts of one language: `t("Hello")`, `t.n("one day", "{n} days", 3)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = catalogue(language)

    def __call__(self, source: str, **facts: object) -> str:
        found = self._catalogue.gettext(source)
        return found.format(**facts) if facts else found

    def n(self, one: str, many: str, n: int, **facts: object) -> str:
        return self._catalogue.ngettext(one, many, n).format(n=n, **facts)


@cache
def texts(language: str) -> Texts:
    return Texts(language)
