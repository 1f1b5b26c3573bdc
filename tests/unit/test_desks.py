"""Desk profiles: what is wrong is said in one line that names the place."""

from pathlib import Path

import pytest

from crm.desks import PROFILES, load_profile
from crm.errors import ProfileError

GOOD = """
title = "Test"
prefix = "TS"
timezone = "Asia/Almaty"
languages = ["kk", "ru"]
team_language = "ru"
default_type = "other"
calendar = "always"

[calendars.always]
timezone = "Asia/Almaty"
hours = "24/7"

[[request_types]]
key = "other"
priority = "normal"

[[policies]]
first_response = { minutes = 10 }
resolution = { minutes = 60, calendar = "always" }
"""


def loaded(folder: Path, words: str | bytes) -> object:
    (folder / "test.toml").write_bytes(words.encode() if isinstance(words, str) else words)
    return load_profile("test", folder)


def test_the_smallest_profile_loads(tmp_path: Path) -> None:
    profile = loaded(tmp_path, GOOD)
    assert profile.name == "test"
    assert profile.request_type("other").priority == "normal"


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_profile_of_ours_loads(path: Path) -> None:
    assert load_profile(path.stem).name == path.stem


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('prefix = "TS"', 'prefix = "ts"', "prefix"),
        ('prefix = "TS"', 'prefix = "TOOLONG"', "prefix"),
        ('prefix = "TS"', "", "prefix"),
        ("Asia/Almaty", "Asia/Nowhere", "timezone"),
        ("Asia/Almaty", "../../etc/passwd", "timezone"),
        ('["kk", "ru"]', '["kk", "de"]', "languages"),
        ('["kk", "ru"]', "[]", "languages"),
        ('team_language = "ru"', 'team_language = "de"', "team_language"),
        ("minutes = 10", "minutes = 0", "policies.0.first_response"),
        ("minutes = 10", "minuets = 10", "policies.0.first_response"),
        ("minutes = 60", "minutes = -1", "policies.0.resolution"),
        ("first_response = { minutes = 10 }\n", "", "other is promised no first_response"),
        ('calendar = "always" }', 'calendar = "office" }', "no calendar 'office'; there are: always"),
        ('calendar = "always"\n', 'calendar = "office"\n', "no calendar 'office'; there are: always"),
        ('hours = "24/7"', "hours = {}", "calendars.always"),
        ('hours = "24/7"', 'hours = { mon = [["18:00", "9:00"]] }', "calendars.always.hours"),
        ('hours = "24/7"', 'hours = "24/7"\ncountry = "ZZ"', "calendars.always"),
        ('hours = "24/7"', 'hours = {}\nspecial = { 2030-01-01 = [["09:00", "10:00"]] }', "always opens on no weekday"),
        ("[[policies]]", '[[policies]]\nrequest_types = ["othr"]', "no request type 'othr'"),
        ("[[policies]]", '[[policies]]\nchannels = ["email"]', "other is promised no first_response"),
        ("[[policies]]", '[[policies]]\npriorities = ["normal"]', "other is promised no first_response when low"),
        ("[[policies]]", "[[escalations]]\nafter = 5\n\n" * 15 + "[[policies]]", "escalations"),
        ("[[policies]]", "[[escalations]]\nshare = 1.5\n\n[[policies]]", "escalations.0.share"),
        ("[[policies]]", "[[escalations]]\ntell = []\n\n[[policies]]", "escalations.0"),
        ("[[policies]]", '[[escalations]]\nshare = 1\nhours = "day"\n\n[[policies]]', "no calendar 'day'"),
        ("[[policies]]", "[[escalations]]\nshare = 0.5\n\n" * 15 + "[[policies]]", "escalations"),
        ('title = "Test"', 'title = "Test"\nassignment = "random"', "assignment"),
        ('priority = "normal"', 'priority = "soon"', "request_types.0.priority"),
        ('priority = "normal"', "resolution = 60", "request_types.0.resolution"),
        ('default_type = "other"', 'default_type = "absent"', "default_type"),
        ('title = "Test"', 'title = "Test"\ncolour = "red"', "colour"),
        ('title = "Test"', "title = ", "line 2"),
    ],
)
def test_a_bad_profile_is_refused_in_one_line_that_names_the_place(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    assert old in GOOD
    with pytest.raises(ProfileError) as refusal:
        loaded(tmp_path, GOOD.replace(old, new))
    words = str(refusal.value)
    assert "\n" not in words
    assert "test.toml" in words
    assert place in words


def test_a_file_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"test\.toml"):
        loaded(tmp_path, GOOD.encode() + b'\nname = "\xff\xfe"')


def test_an_unknown_desk_says_which_there_are() -> None:
    with pytest.raises(ProfileError, match=r"'prodate'.*prodata"):
        load_profile("prodate")


@pytest.mark.parametrize(
    ("client", "language"),
    [("kk", "kk"), ("ru-RU", "ru"), ("EN", "en"), ("de", "ru"), (None, "ru"), ("", "ru")],
)
def test_the_language_is_the_clients_if_the_desk_speaks_it(client: str | None, language: str) -> None:
    assert load_profile("prodata").language(client) == language


def test_an_unknown_request_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_profile("prodata").request_type("")
