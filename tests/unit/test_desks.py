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

[first_response]
telegram = 10

[[request_types]]
key = "other"
resolution = 60
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
        ("telegram = 10", "telegram = 0", "first_response"),
        ("telegram = 10", "telegramm = 10", "first_response"),
        ("telegram = 10", "email = 10", "first_response"),
        ("resolution = 60", "resolution = -1", "request_types.0.resolution"),
        ("resolution = 60", 'resolution = 60\npriority = "soon"', "request_types.0.priority"),
        ("resolution = 60", "resolution = 60\nresolutoin = 60", "request_types.0.resolutoin"),
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
