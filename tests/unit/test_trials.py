"""When the steps of a trial fall, and by what somebody is known to have had one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.cloud.trial_steps import behind, ends_at, mail_key, moments, next_at
from crm.mail.domains import as_in_dns, owned

PUBLIC = ("gmail.com", "googlemail.com", "mail.ru", "ya.ru", "yandex.ru", "proton.me", "protonmail.com")
BEGUN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ENDS = BEGUN + timedelta(days=3)
HALF, DAY, HOURS = moments(BEGUN, ENDS)


def local(written: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("launched", "zone", "ends"),
    [
        ("2026-11-22T14:32", "Asia/Almaty", "2026-11-25T14:32+05:00"),
        # Over the end of a year and a leap day.
        ("2026-12-30T23:59", "Asia/Almaty", "2027-01-02T23:59+05:00"),
        ("2028-02-27T00:00", "Asia/Almaty", "2028-03-01T00:00+05:00"),
        # The night in which Almaty changed its offset: the same time of day, an hour more.
        ("2024-02-28T12:00", "Asia/Almaty", "2024-03-02T12:00+05:00"),
        # Summer begins on the third night, ends on the third night.
        ("2026-03-27T12:00", "Europe/Berlin", "2026-03-30T12:00+02:00"),
        ("2026-10-23T12:00", "Europe/Berlin", "2026-10-26T12:00+01:00"),
        # Half past two is skipped on that day: an hour later; and comes twice: the second.
        ("2026-03-26T02:30", "Europe/Berlin", "2026-03-29T03:30+02:00"),
        ("2026-10-22T02:30", "Europe/Berlin", "2026-10-25T02:30+01:00"),
    ],
)
def test_a_trial_ends_at_the_same_time_of_day(launched: str, zone: str, ends: str) -> None:
    begun = local(launched, zone).astimezone(UTC)
    found = ends_at(begun, 3, zone)
    assert found == datetime.fromisoformat(ends)
    assert found.tzinfo is UTC


def test_reminders_fall_at_half_a_day_and_three_hours_before_the_end() -> None:
    assert [BEGUN + timedelta(hours=36), ENDS - timedelta(days=1), ENDS - timedelta(hours=3)] == [HALF, DAY, HOURS]


@pytest.mark.parametrize(
    ("step", "now", "expected"),
    [
        (0, HALF - timedelta(seconds=1), (0, None)),
        (0, HALF, (1, "half")),
        (1, HALF, (1, None)),
        (1, DAY, (3, "day")),
        (3, HOURS, (7, "hours")),
        # A sweep that slept says only the latest.
        (0, DAY, (3, "day")),
        (0, HOURS, (7, "hours")),
        (1, ENDS, (7, "hours")),
        # A clock that goes back does nothing, and undoes nothing.
        (7, BEGUN, (7, None)),
        # The bit of the alarm is nobody's reminder.
        (8, HALF, (9, "half")),
    ],
)
def test_what_is_behind_and_what_is_worth_a_word(step: int, now: datetime, expected: tuple[int, str | None]) -> None:
    assert behind(BEGUN, ENDS, step, now) == expected


def test_what_falls_due_next() -> None:
    assert [next_at(BEGUN, ENDS, step) for step in (0, 1, 3, 7, 15)] == [HALF, DAY, HOURS, ENDS, ENDS]


def test_of_a_day_no_reminder_of_a_day_is_left_once_it_has_begun() -> None:
    ends = BEGUN + timedelta(days=1)
    step, _ = behind(BEGUN, ends, 0, BEGUN)
    assert next_at(BEGUN, ends, step) == BEGUN + timedelta(hours=12)


# --- attack 43: one mailbox, one firm, however it is written --------------------------------------------------------


@pytest.mark.parametrize(
    ("same", "key"),
    [
        (("a@firm.kz", "A@FIRM.KZ", "a+x@firm.kz", "b.c@firm.kz", "a@mail.firm.kz", "a@firm.kz.", "x@a.b.firm.kz"),
         "firm.kz"),
        (("a@firm.com.kz", "b@mail.firm.com.kz"), "firm.com.kz"),
        (("a@фирма.қаз", "b@Почта.ФИРМА.қаз", "c@xn--80apmps.xn--80ao21a"), "xn--80apmps.xn--80ao21a"),
        (("ivan.petrov@gmail.com", "IvanPetrov@gmail.com", "ivanpetrov+2@gmail.com", "i.van.petrov@googlemail.com",
          '"ivan.petrov"@gmail.com'),
         "ivanpetrov@gmail.com"),
        (("aida@ya.ru", "aida@yandex.ru", "Aida+1@yandex.ru"), "aida@yandex.ru"),
        (("aida@protonmail.com", "aida@proton.me"), "aida@proton.me"),
        (("a@x.github.io",), "x.github.io"),
    ],
)  # fmt: skip
def test_however_it_is_written_it_is_the_same(same: tuple[str, ...], key: str) -> None:
    assert {mail_key(address, PUBLIC) for address in same} == {key}


def test_strangers_stay_strangers() -> None:
    apart = ("a@firm.kz", "a@other.kz", "a@firm.com.kz", "a@other.com.kz", "aida@mail.ru", "aida@gmail.com",
             "bota@gmail.com", "a@x.github.io", "a@y.github.io")  # fmt: skip
    assert len({mail_key(address, PUBLIC) for address in apart}) == len(apart)


@pytest.mark.parametrize("written", ["", "@", "a@", "@firm.kz", "a@..", "a@" + "x" * 300 + ".қаз", "нет адреса"])
def test_nonsense_is_no_reason_to_fail(written: str) -> None:
    mail_key(written, PUBLIC)


def test_whose_a_domain_is() -> None:
    assert [owned(name) for name in ("firm.kz", "a.firm.kz", "a.firm.com.kz", "com.kz", "kz", "")] == [
        "firm.kz", "firm.kz", "firm.com.kz", "com.kz", "kz", "",
    ]  # fmt: skip
    assert as_in_dns(" Фирма.ҚАЗ. ") == "xn--80apmps.xn--80ao21a"
