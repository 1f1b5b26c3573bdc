"""How much a bot may send: sliding windows, and a closed gate until retry_after has passed."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sandbox.telegram.errors import too_many
from sandbox.telegram.model import Json

TOLERANCE = 0.05
COUNTED: Final = frozenset(
    {
        "sendMessage", "sendPhoto", "sendDocument", "sendVoice", "sendVideo", "sendVideoNote", "sendSticker",
        "sendAnimation", "sendAudio", "sendLocation", "sendContact", "sendVenue", "sendPoll", "sendDice",
        "sendMediaGroup", "copyMessage", "copyMessages", "forwardMessage", "forwardMessages",
        "editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup",
        "createForumTopic", "editForumTopic", "pinChatMessage",
    }
)  # fmt: skip


@dataclass(slots=True)
class Rates:
    """The limits in force."""

    per_second: int = 30
    per_chat_second: int = 1
    per_group_minute: int = 20


@dataclass(slots=True)
class Bucket:
    """What was spent lately, and until when the gate is closed."""

    spent: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0

    def wait(self, now: float, cost: int, most: int, window: float) -> int:
        """Whole seconds to wait, 0 when the call may pass."""
        if now < self.closed_until - TOLERANCE:
            return math.ceil(self.closed_until - now)
        edge = now - window + TOLERANCE
        while self.spent and self.spent[0] <= edge:
            self.spent.popleft()
        # An album larger than the limit must be able to pass once nothing else was sent.
        if not self.spent or len(self.spent) + cost <= most:
            return 0
        seconds = max(1, math.ceil(self.spent[0] + window - now - TOLERANCE))
        self.closed_until = now + seconds
        return seconds


class Limits:
    """Buckets per bot, per private chat and per group."""

    def __init__(self, now: Callable[[], float], rates: Rates | None) -> None:
        self._now = now
        self.rates = rates
        self._buckets: dict[tuple[int, int], Bucket] = {}

    def set(self, rates: Rates | None) -> None:
        """New limits, clean buckets; None lets everything through."""
        self.rates = rates
        self._buckets.clear()

    def spend(self, bot: int, method: str, params: Json) -> None:
        """Count a call, or refuse it with 429."""
        rates = self.rates
        if rates is None or method not in COUNTED:
            return
        now, amount = self._now(), cost(method, params)
        chat = params.get("chat_id")
        asked = [(self._bucket(bot, 0), rates.per_second, 1.0)]
        if isinstance(chat, int) and chat > 0:
            asked.append((self._bucket(bot, chat), rates.per_chat_second, 1.0))
        elif isinstance(chat, int):
            asked.append((self._bucket(bot, chat), rates.per_group_minute, 60.0))
        wait = max(bucket.wait(now, amount, most, window) for bucket, most, window in asked)
        if wait:
            raise too_many(wait)
        for bucket, _, _ in asked:
            bucket.spent.extend([now] * amount)

    def _bucket(self, bot: int, chat: int) -> Bucket:
        return self._buckets.setdefault((bot, chat), Bucket())


def cost(method: str, params: Json) -> int:
    """Albums and batches count per item."""
    if method == "sendMediaGroup":
        return max(1, len(params["media"]))
    if method in ("copyMessages", "forwardMessages"):
        return max(1, len(params["message_ids"]))
    return 1
