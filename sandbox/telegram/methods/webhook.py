"""setWebhook, deleteWebhook, getWebhookInfo."""

import re
from typing import Final

from aiogram.types import Update

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Bot, Json
from sandbox.telegram.updates import Hook, allowed_kinds
from sandbox.telegram.world import World

KINDS: Final = frozenset(Update.model_fields) - {"update_id"}
SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _set(world: World, bot: Bot, params: Json) -> bool:
    url = str(params["url"]).strip()
    if not url:
        return _delete(world, bot, params)
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.get("secret_token") or None
    if secret is not None and not SECRET.fullmatch(secret):
        raise bad("secret token contains unallowed characters")
    connections = params.get("max_connections", 40)
    if not 1 <= connections <= 100:
        raise bad("max_connections must be between 1 and 100")
    remember_allowed(bot, params)
    if params.get("drop_pending_updates"):
        bot.inbox.clear()
    bot.inbox.hook = Hook(url, secret, connections, params.get("ip_address"))
    bot.inbox.interrupt()
    world.on_hook(bot)
    return True


def remember_allowed(bot: Bot, params: Json) -> None:
    """allowed_updates stays as it was when it is left out."""
    names = params.get("allowed_updates")
    if names is not None:
        bot.inbox.allowed = allowed_kinds(names, KINDS)


def _delete(world: World, bot: Bot, params: Json) -> bool:
    if params.get("drop_pending_updates"):
        bot.inbox.clear()
    bot.inbox.hook = None
    world.on_hook(bot)
    return True


def _info(world: World, bot: Bot, params: Json) -> Json:
    hook = bot.inbox.hook
    bot.inbox.drop_expired()
    info: Json = {
        "url": hook.url if hook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.inbox.pending),
    }
    if bot.inbox.allowed:
        info["allowed_updates"] = bot.inbox.allowed
    if hook is not None:
        info["max_connections"] = hook.max_connections
        info["ip_address"] = hook.ip_address or "127.0.0.1"
        if hook.last_error_at is not None:
            info["last_error_date"] = int(hook.last_error_at)
            info["last_error_message"] = hook.last_error
    return info


METHODS = {"setWebhook": _set, "deleteWebhook": _delete, "getWebhookInfo": _info}
