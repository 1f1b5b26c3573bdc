"""The people's side of the mail: /sandbox/api/mail, and what the page shows of a mail itself."""

import re
from asyncio import to_thread
from email.utils import formataddr
from smtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Final
from urllib.parse import quote

from aiohttp import web

from sandbox.answers import API, Act, handler, text_of
from sandbox.mail import reading, writing
from sandbox.mail.accounts import LANGUAGES, Account
from sandbox.mail.border import AUTHSERV
from sandbox.mail.imap import SENT, Kept
from sandbox.mail.office import Office
from sandbox.telegram.errors import Refused
from sandbox.telegram.model import Json
from sandbox.telegram.world import World

# A mail's own page: it may look as it likes, and neither run nor load anything.
_ALONE: Final = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)
_FRAME: Final = (
    '<!doctype html><meta charset="utf-8"><style>html{{color-scheme:light;background:#fff}}'
    "body{{margin:0;padding:12px 14px;overflow-wrap:anywhere;color:#16212a;"
    "font:15px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif}}"
    "img,table{{max-width:100%}}pre{{white-space:pre-wrap;font:inherit}}</style>{body}"
)


class MailControl:
    """Everything a test or the page can make people do with mail. `doors` is filled once the servers listen."""

    def __init__(self, office: Office, world: World) -> None:
        self._office = office
        self._world = world
        self.doors: dict[str, tuple[str, int]] = {}

    async def state(self, body: Json) -> object:
        accounts = [
            {"address": one.address, "name": one.name, "language": one.language, "desk": one.desk}
            for one in self._office.accounts.all()
        ]
        doors = {name: {"host": host, "port": port} for name, (host, port) in self.doors.items()}
        return {**doors, "authserv": AUTHSERV, "accounts": accounts}

    async def add_account(self, body: Json) -> object:
        language = body.get("language", "en")
        if language not in LANGUAGES:
            raise Refused(f"language: one of {', '.join(LANGUAGES)}")
        address, name, password = (text_of(body, key) for key in ("address", "name", "password"))
        account = Account(address, name, password, language, bool(body.get("desk")))
        await self._office.open_account(account)
        return {}

    async def mails(self, body: Json) -> object:
        account = self._office.account(body.get("account"))
        found = [reading.summary(kept) async for kept in self._office.mailboxes.all(account.address)]
        return {"mails": reading.threads(found)}

    async def send(self, body: Json) -> object:
        """Through the SMTP server, logged in, as their mail program would; a copy goes to their Sent."""
        account = self._office.account(body.get("account"))
        answers = (await self._find(account, body["reply_to"])).raw if body.get("reply_to") else None
        to = _addresses(body, "to") or [_written(one) for one in writing.answered_to(answers or b"")]
        if not to:
            raise Refused("to: whom the mail goes to, when it answers none")
        files = [self._world.uploads[name] for name in body.get("files", [])]
        cc = _addresses(body, "cc")
        letter = writing.Letter(to, cc, str(body.get("subject") or ""), str(body.get("text") or ""), files, answers)
        raw = writing.written(account, letter, self._office.now())
        recipients = [
            str(one["address"]) for field in ("To", "Cc") for one in reading.people(reading.parse(raw), field)
        ]
        await to_thread(_submit, self.doors["smtp"], account.address, recipients, raw, account.password)
        kept = await self._office.keep(account, SENT, raw, seen=True)
        return reading.summary(kept)

    async def send_raw(self, body: Json) -> object:
        """A source as it is; without an account it comes from a stranger outside."""
        account = self._office.account(body["account"]) if body.get("account") else None
        raw = text_of(body, "raw").encode("utf-8", "surrogateescape")
        sender = body["sender"] if isinstance(body.get("sender"), str) else (account.address if account else "")
        password = account.password if account else None
        login = account.address if account else None
        await to_thread(_submit, self.doors["smtp"], sender, _addresses(body, "to"), raw, password, login)
        return {}

    async def mark_seen(self, body: Json) -> object:
        await self._office.mark_seen(self._office.account(body.get("account")), body["ids"])
        return {}

    async def add_fault(self, body: Json) -> object:
        return {"id": self._office.faults.add(body).id}

    async def list_faults(self, body: Json) -> object:
        return {"faults": [fault.shown() for fault in self._office.faults.orders]}

    async def clear_faults(self, body: Json) -> object:
        self._office.faults.clear()
        return {}

    async def _find(self, account: Account, mail_id: object) -> Kept:
        async for kept in self._office.mailboxes.all(account.address):
            if kept.id == mail_id:
                return kept
        raise Refused(f"no mail {mail_id} of {account.address}")

    # What the page shows of one mail

    async def show_html(self, request: web.Request) -> web.Response:
        mail = await self._of(request)
        text = _FRAME.format(body=reading.html_of(reading.parse(mail.raw)))
        return web.Response(text=text, content_type="text/html", headers=_guarded(_ALONE))

    async def show_source(self, request: web.Request) -> web.Response:
        return web.Response(body=(await self._of(request)).raw, content_type="text/plain", headers=_guarded("sandbox"))

    async def show_attachment(self, request: web.Request) -> web.Response:
        parts = reading.attachments(reading.parse((await self._of(request)).raw))
        number = int(request.match_info["n"])
        if number >= len(parts):
            raise web.HTTPNotFound
        name = quote(parts[number].get_filename() or "attachment")
        headers = {**_guarded("sandbox"), "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        body = reading.data_of(parts[number])
        return web.Response(body=body, content_type=parts[number].get_content_type(), headers=headers)

    async def _of(self, request: web.Request) -> Kept:
        try:
            account = self._office.account(request.match_info["account"])
            return await self._find(account, request.match_info["id"])
        except Refused as why:
            raise web.HTTPNotFound(text=str(why)) from None

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Act]] = [
            ("GET", "", self.state),
            ("POST", "/accounts", self.add_account),
            ("GET", "/mails", self.mails),
            ("POST", "/mails", self.send),
            ("POST", "/raw", self.send_raw),
            ("POST", "/seen", self.mark_seen),
            ("POST", "/faults", self.add_fault),
            ("GET", "/faults", self.list_faults),
            ("DELETE", "/faults", self.clear_faults),
        ]
        routes = [web.route(verb, f"{API}/mail{path}", handler(act)) for verb, path, act in table]
        mail = "/sandbox/mail/{account}/{id}"
        return [
            *routes,
            web.get(f"{mail}/html", self.show_html),
            web.get(f"{mail}/source", self.show_source),
            web.get(f"{mail}/attachments/{{n:[0-9]+}}", self.show_attachment),
        ]


def _guarded(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}


def _addresses(body: Json, key: str) -> list[str]:
    """A list, or what a person types into the line; each with or without a name."""
    given = body.get(key) or []
    return [one.strip() for one in re.split(r"[,;]", given) if one.strip()] if isinstance(given, str) else list(given)


def _written(person: Json) -> str:
    return formataddr((person["name"], person["address"]))


def _submit(
    door: tuple[str, int], sender: str, to: list[str], raw: bytes, password: str | None, login: str | None = None
) -> None:
    """In a thread of its own. Raises Refused with the server's own words."""
    try:
        with SMTP(*door, local_hostname=sender.rpartition("@")[2] or "localhost", timeout=30) as line:
            if password is not None:
                line.login(login or sender, password)
            line.sendmail(sender, to, raw)
    except SMTPRecipientsRefused as why:
        raise Refused("; ".join(_said(*reply) for reply in why.recipients.values())) from None
    except SMTPResponseException as why:
        raise Refused(_said(why.smtp_code, why.smtp_error)) from None
    except (SMTPException, OSError) as why:
        raise Refused(f"the mail server hung up: {why}") from None


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
