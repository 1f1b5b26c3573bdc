"""Settings: the environment before `.env`, and errors that name the setting in one line."""

from pathlib import Path

import pytest

from app.mail_settings import DeskMail
from app.settings import Settings, WrongSettings, load
from tests.factories import TOKEN


def settings(tmp_path: Path, env_file: str = "", **environment: str) -> Settings:
    path = tmp_path / ".env"
    path.write_text(env_file, "utf-8")
    return load(path, environment)


def test_empty_everything_has_the_defaults(tmp_path: Path) -> None:
    found = settings(tmp_path, "DESKS=\nWEB_PORT=\n")
    assert found == Settings(tokens={"prodata": ""}, mail={"prodata": DeskMail()}, clouds={"prodata": ""})
    assert (found.desks, found.web_port, found.telegram_limits) == (("prodata",), 8080, "30/1/20")


def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    assert load(tmp_path / "absent", {}).desks == ("prodata",)


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    found = settings(tmp_path, "WEB_PORT=1\nWEB_HOST=0.0.0.0\n", WEB_PORT="2")
    assert (found.web_port, found.web_host) == (2, "0.0.0.0")


def test_lists_are_separated_by_commas(tmp_path: Path) -> None:
    found = settings(tmp_path, DESKS=" ProData ,prodata2", ADMIN_TELEGRAM_IDS="1, 22 ,")
    assert found.desks == ("prodata", "prodata2")
    assert found.admin_telegram_ids == {1, 22}


def test_each_desk_has_its_token(tmp_path: Path) -> None:
    found = settings(tmp_path, f"PRODATA_BOT_TOKEN={TOKEN}\n", DESKS="prodata,other", OTHER_BOT_TOKEN="5:abcdef")
    assert found.token("prodata") == TOKEN
    assert found.token("other") == "5:abcdef"


@pytest.mark.parametrize(("token", "words"), [("", "is empty"), ("abc", "does not look like")])
def test_a_token_that_is_none_is_named_but_not_shown(tmp_path: Path, token: str, words: str) -> None:
    with pytest.raises(WrongSettings, match=f"PRODATA_BOT_TOKEN {words}"):
        settings(tmp_path, PRODATA_BOT_TOKEN=token).token("prodata")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "eighty"),
        ("WEB_PORT", "70000"),
        ("ADMIN_TELEGRAM_IDS", "@erlan"),
        ("TELEGRAM_LIMITS", "30"),
        ("TELEGRAM_API_BASE", "api.telegram.org"),
        ("TELEGRAM_API_BASE", "ftp://a"),
        ("PUBLIC_URL", "desk.example.kz"),
        ("PAGES_URL", "desk.example.kz"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://a/b"),
        ("DATABASE_URL", "not an address"),
        ("DATABASE_URL", "postgresql://a:port/b"),
        ("KEZEKSHI_FAILPOINT", "receive.nowhere"),
        ("DESKS", ","),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSettings) as refusal:
        settings(tmp_path, **{name: value})
    words = str(refusal.value)
    assert name in words
    assert "\n" not in words


def test_an_unknown_desk_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings, match=r"DESKS: .*'prodate'.*prodata"):
        settings(tmp_path, DESKS="prodate").profiles()


def test_a_desk_without_a_cloud_has_no_hands_on_one(tmp_path: Path) -> None:
    assert settings(tmp_path).profiles()[0].cloud is None
    assert settings(tmp_path, PRODATA_CLOUD="prodata").profiles()[0].cloud is not None


@pytest.mark.parametrize("secret", ["", "with space", "ключ", "x" * 257])
def test_a_webhook_needs_a_secret_that_telegram_takes(tmp_path: Path, secret: str) -> None:
    with pytest.raises(WrongSettings, match="WEBHOOK_SECRET") as refusal:
        settings(tmp_path, PUBLIC_URL="https://desk.example.kz", WEBHOOK_SECRET=secret)
    assert "x" * 20 not in str(refusal.value)


def test_a_public_address_loses_its_last_slash(tmp_path: Path) -> None:
    found = settings(tmp_path, PUBLIC_URL="https://desk.example.kz/", WEBHOOK_SECRET="s-e_c")
    assert found.public_url == "https://desk.example.kz"


def test_secrets_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    found = settings(tmp_path, PRODATA_BOT_TOKEN=TOKEN, WEBHOOK_SECRET="canary-secret")
    assert TOKEN not in repr(found)
    assert "canary-secret" not in repr(found)


def test_a_limit_of_off_lifts_the_budgets(tmp_path: Path) -> None:
    assert settings(tmp_path, TELEGRAM_LIMITS="off").limits is None


@pytest.mark.parametrize(
    ("public", "pages", "found"),
    [
        ("", "", ""),
        ("https://desk.kz", "", "https://desk.kz"),
        ("https://desk.kz", "https://pages.kz/", "https://pages.kz"),
        ("", "https://pages.kz/desk/", "https://pages.kz/desk"),
    ],
)
def test_pages_are_where_webhooks_come_unless_said_otherwise(
    tmp_path: Path, public: str, pages: str, found: str
) -> None:
    made = settings(tmp_path, PUBLIC_URL=public, WEBHOOK_SECRET="s", PAGES_URL=pages)
    assert (made.public_url, made.pages_url) == (public, found)
