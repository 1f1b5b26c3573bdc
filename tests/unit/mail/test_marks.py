"""Message-IDs and dates, also as no program should write them."""

from datetime import UTC, datetime

import pytest

from mailbridge import marks


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@b>", ["a@b"]),
        ("<a@b> <c@d>\t<a@b>", ["a@b", "c@d"]),
        ("<a@b><c@d>", ["a@b", "c@d"]),
        ("<a @b>", ["a@b"]),
        ("a@b", ["a@b"]),
        ("a@b, c@d", ["a@b", "c@d"]),
        ("Your message of Monday <a@b>", ["a@b"]),
        ("single-word", ["single-word"]),
        ("no id at all", []),
        ("<>", []),
        ("", []),
        (f"<{'x' * 600}@y>", []),
    ],
)
def test_ids(value: str, ids: list[str]) -> None:
    assert marks.ids(value) == ids


def test_of_a_long_thread_the_beginning_and_the_end_are_kept() -> None:
    found = marks.references(" ".join(f"<{n}@x>" for n in range(1000)))
    assert len(found) == marks.MOST_REFERENCES
    assert (found[0], found[1], found[-1]) == ("0@x", "901@x", "999@x")


MOMENT = datetime(2026, 3, 2, 5, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Mon, 2 Mar 2026 10:15:00 +0500", MOMENT),
        ("2 Mar 2026 10:15 +0500 (ALMT)", MOMENT),
        ("Mon, 02 Mar 2026 05:15:00 GMT", MOMENT),
        ("Mon, 2 Mar 26 00:15:00 EST", MOMENT),
        ("2026-03-02T10:15:00+05:00", MOMENT),
        ("2026-03-02 05:15:00Z", MOMENT),
        ("Пн, 2 мар 2026 10:15:00 +0500", MOMENT),
        ("2 наурыз 2026 10:15:00 +0500", MOMENT),
        ("Mon, 2 Mar 2026 05:15:60", MOMENT.replace(second=59)),
        ("Mon, 32 Mar 2026 05:15:00", None),
        ("Fri, 99 Foo 20026 25:61:00 +9999", None),
        ("Mon, 2 Mar 1066 00:00:00 +0500", None),
        ("Mon, 2 Mar 9999 23:59:59 -9900", None),
        ("yesterday", None),
        ("", None),
        ("0" * 5000, None),
        ("\ud800", None),
    ],
)
def test_moments(value: str, moment: datetime | None) -> None:
    assert marks.moment(value) == moment
