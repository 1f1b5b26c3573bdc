"""Webhook deliveries: one queue a chat or person, in order, again and again until the bot takes it."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.telegram.model import Bot, Json
from sandbox.telegram.updates import Entry, Hook, Lane
from sandbox.telegram.world import World

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
SLOWEST_RETRY = 60.0
LONGEST_RETRY_AFTER = 3600.0
GONE_FOR = 23 * 3600.0
PATIENCE = ClientTimeout(total=60)

Perform = Callable[[Bot, str, Json], Json]


class Deliverer:
    """Watches every bot's inbox and posts what comes to its webhook."""

    def __init__(self, world: World, perform: Perform, first_retry: float) -> None:
        self._world = world
        self._perform = perform
        self._first_retry = first_retry
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        world.on_hook = self.changed

    def changed(self, bot: Bot) -> None:
        """The bot's webhook was set or taken away: everything pending goes the new way."""
        hook = bot.inbox.hook
        if hook is None:
            bot.inbox.on_entry = None
            return
        queues = _Queues(self, bot, hook)
        bot.inbox.on_entry = queues.put
        for entry in list(bot.inbox.pending.values()):
            queues.put(entry)

    def spawn(self, queues: "_Queues", lane: Lane) -> None:
        task = asyncio.get_running_loop().create_task(queues.run(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def deliver(self, bot: Bot, hook: Hook, entry: Entry) -> float | None:
        """One attempt; None when it is settled, otherwise the Retry-After asked for (0: none)."""
        entry.handed += 1
        headers = {"Content-Type": "application/json"}
        if hook.secret is not None:
            headers[SECRET_HEADER] = hook.secret
        if self._session is None:
            self._session = ClientSession(timeout=PATIENCE)
        try:
            async with self._session.post(
                hook.url, data=json.dumps(entry.update), headers=headers, allow_redirects=False
            ) as answer:
                body = await answer.read()
                if 200 <= answer.status < 300:
                    hook.gone_since = None
                    bot.inbox.settle(entry)
                    self._do_answer(bot, body)
                    return None
                self._failed(hook, f"Wrong response from the webhook: {answer.status} {answer.reason}")
                self._count_gone(bot, hook, answer.status)
                return _seconds(answer.headers.get("Retry-After"))
        except (ClientError, TimeoutError) as error:
            self._failed(hook, f"Connection failed: {type(error).__name__}")
            return 0.0

    def _failed(self, hook: Hook, text: str) -> None:
        hook.last_error_at, hook.last_error = self._world.now(), text

    def _count_gone(self, bot: Bot, hook: Hook, status: int) -> None:
        """410 for 23 hours on end takes the webhook away."""
        if status != 410:
            hook.gone_since = None
        elif hook.gone_since is None:
            hook.gone_since = self._world.now()
        elif self._world.now() - hook.gone_since >= GONE_FOR:
            bot.inbox.hook = None
            self.changed(bot)

    def _do_answer(self, bot: Bot, body: bytes) -> None:
        """A method named in the answer is carried out; its result goes nowhere."""
        try:
            asked = json.loads(body)
        except ValueError:
            return
        if isinstance(asked, dict) and isinstance(asked.get("method"), str):
            method = asked.pop("method")
            self._perform(bot, method, asked)

    def pause(self, attempt: int, asked: float) -> float:
        if asked > 0:
            return min(asked, LONGEST_RETRY_AFTER)
        return min(self._first_retry * 2.0**attempt * random.uniform(1.0, 1.2), SLOWEST_RETRY)


class _Queues:
    """The queues of one webhook as it was set; a newer setWebhook makes new ones."""

    def __init__(self, deliverer: Deliverer, bot: Bot, hook: Hook) -> None:
        self._deliverer = deliverer
        self._bot = bot
        self._hook = hook
        self._lanes: dict[Lane, deque[Entry]] = {}
        self._slots = asyncio.Semaphore(hook.max_connections)

    def put(self, entry: Entry) -> None:
        lane = self._lanes.get(entry.lane)
        if lane is not None:
            lane.append(entry)
            return
        self._lanes[entry.lane] = deque([entry])
        self._deliverer.spawn(self, entry.lane)

    async def run(self, name: Lane) -> None:
        """Work a queue off; a failure holds up this queue only."""
        lane = self._lanes[name]
        while lane and self._current():
            await self._settle(lane[0])
            lane.popleft()
        self._lanes.pop(name, None)

    async def _settle(self, entry: Entry) -> None:
        attempt = 0
        while self._current() and entry.seq in self._bot.inbox.pending:
            if entry.expired(self._deliverer._world.now()):
                self._bot.inbox.forget(entry)
                return
            async with self._slots:
                asked = await self._deliverer.deliver(self._bot, self._hook, entry)
            if asked is None:
                return
            await asyncio.sleep(self._deliverer.pause(attempt, asked))
            attempt += 1

    def _current(self) -> bool:
        return self._bot.inbox.hook is self._hook


def _seconds(header: str | None) -> float:
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        return 0.0
