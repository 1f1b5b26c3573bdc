"""When the steps of a trial fall, and by what somebody is known to have had one. Pure.

Calendar days (prodata 5.4) are read like this: the trial ends at the same time of day, by the desk's clock, so many
days after the first launch. A time of day that is skipped or comes twice on that day means the later of two instants.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from crm.mail.domains import as_in_dns, owned

Reminder = Literal["half", "day", "hours"]
# In the order in which they fall; each is a bit of `trial.step`.
REMINDERS: tuple[Reminder, ...] = ("half", "day", "hours")
ALARMED = 1 << len(REMINDERS)
# Nobody launches anything: so long after the cabinet was opened the customer is reminded of it, once.
UNUSED_AFTER = timedelta(days=30)
# So long after the end the cloud may stay unseen before engineers are called.
PATIENCE = timedelta(hours=1)


def ends_at(launched: datetime, days: int, timezone: str) -> datetime:
    """The end of a trial that began at that instant, in UTC as that is."""
    there = launched.astimezone(ZoneInfo(timezone))
    wall = there + timedelta(days=days)
    return max(wall.replace(fold=fold).astimezone(launched.tzinfo) for fold in (0, 1))


def moments(launched: datetime, ends: datetime) -> tuple[datetime, ...]:
    """Of each reminder; those of a short trial may lie before its beginning."""
    return (launched + (ends - launched) / 2, ends - timedelta(days=1), ends - timedelta(hours=3))


def behind(launched: datetime, ends: datetime, step: int, now: datetime) -> tuple[int, Reminder | None]:
    """`step` with all that has fallen by now, and the one reminder that is still worth a word: the latest."""
    fallen = [place for place, at in enumerate(moments(launched, ends)) if at <= now and not step >> place & 1]
    for place in fallen:
        step |= 1 << place
    # Of two that fall together, as a day and half of two days, the nearer one is said.
    return step, REMINDERS[fallen[-1]] if fallen else None


def next_at(launched: datetime, ends: datetime, step: int) -> datetime:
    """When something falls due next: a reminder or the end."""
    left = (at for place, at in enumerate(moments(launched, ends)) if not step >> place & 1)
    return min((*left, ends))


# --- by what somebody is known ------------------------------------------------------------------------------------

# One mailbox under several names.
_SAME = {"googlemail.com": "gmail.com", "protonmail.com": "proton.me", "pm.me": "proton.me"} | dict.fromkeys(
    ("ya.ru", "yandex.com", "yandex.kz", "yandex.by", "yandex.ua"), "yandex.ru"
)


def mail_key(address: str, public_domains: Iterable[str]) -> str:
    """By what a mail address tells who somebody is: the domain that is owned; of a shared one, the mailbox.

    Neither capitals, dots nor a +tag make another mailbox.
    """
    local, _, domain = address.strip().rpartition("@")
    name = as_in_dns(domain)
    whose = owned(name)
    if name not in public_domains and whose not in public_domains:
        return whose
    mailbox = local.strip('"').casefold().partition("+")[0].replace(".", "")
    return f"{mailbox}@{_SAME.get(whose, whose)}"
