"""The people's side over HTTP: /sandbox/api."""

from collections.abc import Callable
from typing import Final

from aiohttp import BodyPartReader, web

from sandbox.answers import API, Act, answer, error, handler, text_of
from sandbox.telegram import groups, people, views
from sandbox.telegram.calls import Calls
from sandbox.telegram.errors import ApiError, Refused, method_not_found
from sandbox.telegram.faults import Faults
from sandbox.telegram.limits import Limits, Rates
from sandbox.telegram.loading import load
from sandbox.telegram.membership import set_blocked
from sandbox.telegram.model import Json, Upload
from sandbox.telegram.samples import kind_of
from sandbox.telegram.world import World

USER_FIELDS: Final = ("id", "first_name", "last_name", "username", "language_code")


class Control:
    """Everything a test or the page can make people do, look at or break. `clear_others` empties what else is here."""

    def __init__(
        self, world: World, limits: Limits, faults: Faults, calls: Calls, clear_others: Callable[[], None]
    ) -> None:
        self._world = world
        self._limits = limits
        self._faults = faults
        self._calls = calls
        self._clear_others = clear_others

    # Who there is

    async def add_bot(self, body: Json) -> object:
        token, name, username = (text_of(body, key) for key in ("token", "name", "username"))
        bot = self._world.add_bot(token, name, username).data
        self._world.events.emit("member", {}, lambda: {"user": bot})
        return bot

    async def add_user(self, body: Json) -> object:
        text_of(body, "first_name")
        user = self._world.add_user({key: body[key] for key in USER_FIELDS if body.get(key)}).data
        self._world.events.emit("member", {}, lambda: {"user": user})
        return user

    async def add_group(self, body: Json) -> object:
        return groups.create_group(self._world, body).chat

    async def add_member(self, body: Json) -> object:
        groups.add_member(self._world, self._world.group(body["id"]), body)
        return {}

    async def remove_member(self, body: Json) -> object:
        groups.remove_member(self._world, self._world.group(body["id"]), body["who"])
        return {}

    async def migrate(self, body: Json) -> object:
        return groups.migrate(self._world, self._world.group(body["id"])).chat

    # What they do

    async def say(self, body: Json) -> object:
        made = people.say(self._world, body)
        return [message.data for message in made] if isinstance(made, list) else made.data

    async def edit(self, body: Json) -> object:
        return people.edit(self._world, body).data

    async def delete(self, body: Json) -> object:
        people.delete(self._world, body)
        return {}

    async def press(self, body: Json) -> object:
        return {"callback_query_id": people.press(self._world, body).id}

    async def callback(self, body: Json) -> object:
        callback = self._world.callbacks.get(str(body["id"]))
        if callback is None:
            raise Refused(f"no callback {body['id']}")
        return {
            "answered": callback.answered,
            "text": callback.text,
            "show_alert": callback.show_alert,
            "url": callback.url,
        }

    async def react(self, body: Json) -> object:
        people.react(self._world, body)
        return {}

    async def block(self, body: Json) -> object:
        room = self._world.private(self._world.bot_of(body.get("bot")), self._world.user(body.get("user")))
        set_blocked(self._world, room, blocked=bool(body.get("blocked", True)))
        return {}

    async def topics(self, body: Json) -> object:
        return groups.change_topic(self._world, body)

    # What is to be seen

    async def chat(self, body: Json) -> object:
        viewer = self._world.user(body.get("viewer"))
        room = self._world.room_seen(body["id"], viewer)
        return views.chat_seen(self._world, room, viewer, after=int(body.get("after") or 0))

    async def chats(self, body: Json) -> object:
        return views.chats_of(self._world, self._world.user(body.get("viewer")))

    async def state(self, body: Json) -> object:
        return views.state(self._world)

    async def list_calls(self, body: Json) -> object:
        chat = body.get("chat")
        found = self._calls.after(
            int(body.get("after") or 0), body.get("method") or None, None if chat is None else str(chat)
        )
        return {"calls": list(found), "last": self._calls.last}

    # Updates and faults

    async def list_updates(self, body: Json) -> object:
        inbox = self._world.bot_of(body.get("bot")).inbox
        found = [entry.shown() for entry in inbox.journal.after(int(body.get("after") or 0))]
        return {"updates": found, "last": inbox.journal.last}

    async def inject(self, body: Json) -> object:
        update = body.get("update")
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            raise Refused("update: an object with an integer update_id")
        self._world.bot_of(body.get("bot")).inbox.add_raw(update)
        return {}

    async def repeat(self, body: Json) -> object:
        inbox = self._world.bot_of(body.get("bot")).inbox
        entry = inbox.find(int(body.get("update_id", 0)))
        if entry is None:
            raise Refused(f"no update {body.get('update_id')}")
        inbox.add_raw(entry.update)
        return {}

    async def hold(self, body: Json) -> object:
        inbox = self._world.bot_of(body.get("bot")).inbox
        if body.get("hold", True):
            inbox.hold()
            return {"released": 0}
        if body.get("order") not in (None, "shuffle", "reverse"):
            raise Refused("order must be shuffle or reverse")
        return {"released": inbox.release(body.get("order"), body.get("seed"))}

    async def load(self, body: Json) -> object:
        updates = body.get("updates")
        if not isinstance(updates, list):
            raise Refused("updates: a list of raw updates")
        return {"count": load(self._world, self._world.bot_of(body.get("bot")), updates)}

    async def limits(self, body: Json) -> object:
        if body.get("off"):
            self._limits.set(None)
        else:
            names = ("per_second", "per_chat_second", "per_group_minute")
            self._limits.set(Rates(**{name: int(body[name]) for name in names if name in body}))
        return {}

    async def add_fault(self, body: Json) -> object:
        bot = self._world.bot_of(body["bot"]).id if body.get("bot") is not None else None
        return {"id": self._faults.add(body, bot).id}

    async def list_faults(self, body: Json) -> object:
        return {"faults": [fault.shown() for fault in self._faults.orders]}

    async def clear_faults(self, body: Json) -> object:
        self._faults.clear()
        return {}

    async def reset(self, body: Json) -> object:
        for bot in self._world.bots.values():
            bot.inbox.hook = None
            self._world.on_hook(bot)
            bot.inbox.clear()
            bot.inbox.interrupt(ApiError(401, "Unauthorized"))
        self._world.clear()
        self._faults.clear()
        self._calls.clear()
        self._clear_others()
        self._limits.set(self._limits.rates)
        self._world.events.emit("reset", {})
        return {}

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take one file in; what it is sent as is decided later."""
        try:
            part = await (await request.multipart()).next()
        except (ValueError, AssertionError):
            part = None
        if not isinstance(part, BodyPartReader) or part.filename is None:
            return error("send one file as multipart/form-data")
        mime = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0]
        upload = Upload(part.filename, mime, bytes(await part.read(decode=True)))
        name = f"upload-{self._world.count('uploads')}"
        self._world.uploads[name] = upload
        return answer({"file": name, "kind": kind_of(upload), "size": len(upload.data)})

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Act]] = [
            ("POST", "/bots", self.add_bot),
            ("POST", "/users", self.add_user),
            ("POST", "/groups", self.add_group),
            ("POST", "/groups/{id}/members", self.add_member),
            ("DELETE", "/groups/{id}/members/{who}", self.remove_member),
            ("POST", "/groups/{id}/migrate", self.migrate),
            ("POST", "/messages", self.say),
            ("PATCH", "/messages", self.edit),
            ("DELETE", "/messages", self.delete),
            ("POST", "/press", self.press),
            ("GET", "/callbacks/{id}", self.callback),
            ("POST", "/reactions", self.react),
            ("POST", "/block", self.block),
            ("POST", "/topics", self.topics),
            ("GET", "/chats/{id}", self.chat),
            ("GET", "/chats", self.chats),
            ("GET", "/state", self.state),
            ("GET", "/calls", self.list_calls),
            ("GET", "/updates", self.list_updates),
            ("POST", "/updates", self.inject),
            ("POST", "/updates/repeat", self.repeat),
            ("POST", "/updates/hold", self.hold),
            ("POST", "/load", self.load),
            ("POST", "/limits", self.limits),
            ("POST", "/faults", self.add_fault),
            ("GET", "/faults", self.list_faults),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/reset", self.reset),
        ]
        routes = [web.route(verb, API + path, handler(act)) for verb, path, act in table]
        unknown = web.route("*", API + "/{rest:.*}", _unknown)
        return [*routes, web.post(API + "/files", self.upload), unknown]


async def _unknown(request: web.Request) -> web.StreamResponse:
    return error(f"no such call: {request.method} {request.path}", method_not_found().code)
