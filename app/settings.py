"""The one reader of the environment. Every setting is explained in `.env.example`."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from sqlalchemy.exc import ArgumentError

from app import mail_settings
from app.mail_settings import DeskMail
from bot.budget import Limits
from crm import failpoints
from crm.db import async_url
from crm.desks import Profile, load_profile
from crm.errors import ProfileError

TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{5,}")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class WrongSettings(Exception):
    """A setting is missing or wrong; the text says which, and how to mend it, in one line."""


class Settings(BaseModel):
    """Settings by the names of the environment, in small letters."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    desks: Annotated[tuple[str, ...], Field(min_length=1)] = ("prodata",)
    database_url: str = ""
    kezekshi_var: Path = Path("var")
    telegram_api_base: str = ""
    admin_telegram_ids: frozenset[int] = frozenset()
    public_url: str = ""
    webhook_secret: SecretStr = SecretStr("")
    pages_url: str = ""
    telegram_limits: str = "30/1/20"
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    log_level: str = "info"
    kezekshi_failpoint: str = ""
    tokens: dict[str, SecretStr] = {}
    mail: dict[str, DeskMail] = {}
    # By desk: an entry of clouds.yaml, or the address of a sandbox's cloud.
    clouds: dict[str, str] = {}
    os_client_config_file: str = ""

    @model_validator(mode="before")
    @classmethod
    def _pages_stand_where_webhooks_come(cls, found: dict[str, Any]) -> dict[str, Any]:
        return {**found, "pages_url": found.get("pages_url") or found.get("public_url") or ""}

    @field_validator("desks", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (
            tuple(part.strip().lower() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("admin_telegram_ids", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("telegram_limits")
    @classmethod
    def _limits(cls, value: str) -> str:
        Limits.parse(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        try:
            return value and async_url(value) and value
        except ArgumentError:
            raise ValueError("must be like postgresql://user:password@host/database") from None

    @field_validator("telegram_api_base", "public_url", "pages_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise ValueError("must be like https://host or http://host:port")
        return value.rstrip("/")

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()

    @field_validator("kezekshi_failpoint")
    @classmethod
    def _failpoint(cls, value: str) -> str:
        failpoints.parse(value)
        return value

    @model_validator(mode="after")
    def _webhook_has_secret(self) -> "Settings":
        if self.public_url and not SECRET.fullmatch(self.webhook_secret.get_secret_value()):
            raise ValueError("WEBHOOK_SECRET is needed with PUBLIC_URL: 1 to 256 of A-Z a-z 0-9 _ -")
        return self

    @property
    def limits(self) -> Limits | None:
        return Limits.parse(self.telegram_limits)

    def profiles(self) -> list[Profile]:
        """Without [cloud] where the desk has no cloud here: what nobody carries out must not be planned.

        Raises WrongSettings for a desk without a profile.
        """
        try:
            found = [load_profile(name) for name in self.desks]
            return [one if self.clouds.get(one.name) else one.model_copy(update={"cloud": None}) for one in found]
        except ProfileError as error:
            raise WrongSettings(f"DESKS: {error}") from None

    def token(self, desk: str) -> str:
        """Raises WrongSettings for a desk without a usable token."""
        token = self.tokens.get(desk, SecretStr("")).get_secret_value()
        name = token_name(desk)
        if not token:
            raise WrongSettings(
                f"{name} is empty: get a token from @BotFather and put it into .env, or try `make demo`"
            )
        if not TOKEN.fullmatch(token):
            raise WrongSettings(f"{name} does not look like a token (123456:AA...)")
        return token

    def mails(self, desk: str) -> bool:
        """Whether the desk answers by mail."""
        return desk in self.mail and self.mail[desk].smtp is not None

    def bot_id(self, desk: str) -> int:
        """The bot's Telegram id, 0 where this process has no token for the desk."""
        first = self.tokens.get(desk, SecretStr("")).get_secret_value().partition(":")[0]
        return int(first) if first.isdecimal() else 0


def token_name(desk: str) -> str:
    return f"{desk.upper()}_BOT_TOKEN"


def cloud_name(desk: str) -> str:
    return f"{desk.upper()}_CLOUD"


def _queues(desk: str) -> list[str]:
    """That there is no such desk is said where its profile is needed."""
    try:
        return [queue.key for queue in load_profile(desk).queues]
    except ProfileError:
        return []


def load(env_file: Path = Path(".env"), environment: dict[str, str] | None = None) -> Settings:
    """From the environment, then from `.env`. Raises WrongSettings."""
    found: dict[str, Any] = {}
    merged = {**dotenv_values(env_file), **(dict(os.environ) if environment is None else environment)}
    for name in Settings.model_fields:
        value = merged.get(name.upper())
        if name not in ("tokens", "mail", "clouds") and value:
            found[name] = value.strip()
    desks = [part.strip().lower() for part in str(found.get("desks", "prodata")).split(",")]
    found["tokens"] = {desk: str(merged.get(token_name(desk)) or "").strip() for desk in desks}
    found["clouds"] = {desk: str(merged.get(cloud_name(desk)) or "").strip() for desk in desks}
    try:
        found["mail"] = {desk: mail_settings.read(desk, _queues(desk), merged) for desk in desks}
    except ValueError as error:
        raise WrongSettings(str(error)) from None
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = str(first["loc"][0]).upper() if first["loc"] else ""
        words = first["msg"].removeprefix("Value error, ")
        raise WrongSettings(words if words.startswith(place) else f"{place}: {words}") from None
