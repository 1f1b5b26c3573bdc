"""The page that shows a login and a password once: looking at the link uses nothing up, one press on the page does.

Previews, crawlers and prefetching only look. A link that was used, has expired or never was gets the same answer.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import get_args

import structlog
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from yarl import URL

from crm.cloud import pages
from crm.cloud.pages import Opened, Page
from crm.db import Sessions, transaction
from crm.desks import Language, load_profile
from crm.notices import Look
from crm.texts import Texts, texts

log = structlog.get_logger()

LANGUAGES: tuple[Language, ...] = get_args(Language)
_FOLDER = Path(__file__).parent / "templates"
# What the policy lets in by its hash: nothing else has a style or runs.
_STYLE, _SCRIPT = (Markup((_FOLDER / name).read_text("utf-8")) for name in ("page.css", "copy.js"))  # noqa: S704
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals |= {"style": _STYLE, "script": _SCRIPT}


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class SecretPages:
    """All desks' pages, at `pages_url` (`PAGES_URL`). Neither tokens nor what they open get into a log."""

    def __init__(self, pages_url: str, sessions: Sessions, clock: Callable[[], datetime]) -> None:
        self._origin = str(URL(pages_url).origin())
        self._sessions = sessions
        self._clock = clock

    def mount(self, site: web.Application) -> None:
        site.router.add_get("/secret/{token}", self.look)
        site.router.add_post("/secret/{token}", self.open)

    async def look(self, request: web.Request) -> web.Response:
        """GET and HEAD: the page with its button, as often as somebody looks."""
        now = self._clock()
        try:
            async with self._sessions() as session:
                page = await pages.find(session, request.match_info["token"], now)
        except Exception as error:
            return _away(request, error)
        return _gone(request) if page is None else _closed(page, Look(load_profile(page.desk), page.language, now))

    async def open(self, request: web.Request) -> web.Response:
        """POST: what the page is for, to whoever comes first."""
        if not self._pressed_here(request.headers):
            return _foreign(request)
        try:
            async with transaction(self._sessions) as session:
                opened = await pages.open_once(session, request.match_info["token"], self._clock())
        except Exception as error:
            return _away(request, error)
        return _gone(request) if opened is None else _opened(opened)

    def _pressed_here(self, headers: Mapping[str, str]) -> bool:
        """Whether a page of ours sent it. Older browsers say only `Origin`, and of a form on a page that passes no
        referrer on, that is `null`; whoever says neither is no browser."""
        site = headers.get("Sec-Fetch-Site")
        if site is not None:
            return site == "same-origin"
        return headers.get("Origin") in (self._origin, "null")


def _closed(page: Page, look: Look) -> web.Response:
    t = look.t
    facts = {
        "headline": t("Your login and password"),
        "words": t("They are shown once. Press the button when nobody else sees your screen and you can save them."),
        "press": t("Show"),
        "until": t("The link works until {time} ({place} time).", time=look.local(page.expires_at), place=look.place),
        "desk": look.profile.title,
    }
    return _page("closed.html", t, facts)


def _opened(opened: Opened) -> web.Response:
    t = texts(opened.language)
    facts = {
        "headline": t("Your login and password"),
        "fields": [("login", t("Login"), opened.login), ("password", t("Password"), opened.password)],
        "copy": t("Copy"),
        "copied": t("Copied"),
        "words": t(
            "Save the password now: this page does not open a second time, and nobody can look it up, not even we."
        ),
        "desk": load_profile(opened.desk).title,
    }
    return _page("opened.html", t, facts)


def _gone(request: web.Request) -> web.Response:
    t = _texts(request)
    return _word(t, 404, t("This link was used or has expired"), t("Please ask for a new one in the bot."))


def _foreign(request: web.Request) -> web.Response:
    t = _texts(request)
    return _word(t, 403, t("Please open the link once more"), t("Then press the button on the page itself."))


def _away(request: web.Request, error: Exception) -> web.Response:
    """Its kind only: nobody knows what an error quotes."""
    log.error("secret.not_shown", error=type(error).__name__)
    t = _texts(request)
    return _word(t, 503, t("Just a moment"), t("Please try again in a minute."))


def _word(t: Texts, status: int, headline: str, words: str) -> web.Response:
    return _page("word.html", t, {"headline": headline, "words": words}, status)


def _page(template: str, t: Texts, facts: Mapping[str, object], status: int = 200) -> web.Response:
    words = _TEMPLATES.get_template(template).render(language=t.language, **facts)
    return web.Response(text=words, status=status, content_type="text/html", charset="utf-8", headers=HEADERS)


def _texts(request: web.Request) -> Texts:
    """Whose link it was is not said, so the browser's own wish counts."""
    wanted = [part.strip().lower()[:2] for part in request.headers.get("Accept-Language", "").split(",")]
    return texts(next((language for language in wanted if language in LANGUAGES), "en"))
