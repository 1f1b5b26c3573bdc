"""Dialogues kept in PostgreSQL, in the transaction of the message that moves them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from sqlalchemy import text

from crm.db import Session


class PostgresStorage(BaseStorage):
    """Lives as long as one update. What recognising the person has read already is not read again."""

    def __init__(self, session: Session, desk: str, now: datetime, state: str | None, data: dict[str, Any]) -> None:
        self._session = session
        self._desk = desk
        self._now = now
        self._state = state
        self._data = data

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        new = state.state if isinstance(state, State) else state
        if new == self._state and not self._data:
            return
        self._state = new
        await self._save(key)

    async def get_state(self, key: StorageKey) -> str | None:
        return self._state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        if dict(data) == self._data:
            return
        self._data = dict(data)
        await self._save(key)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return dict(self._data)

    async def close(self) -> None:
        """Nothing to close: the session belongs to the worker."""

    async def _save(self, key: StorageKey) -> None:
        values = {
            "desk": self._desk,
            "chat": key.chat_id,
            "thread": key.thread_id or 0,
            "who": key.user_id,
            "state": self._state,
            "data": json.dumps(self._data),
            "now": self._now,
        }
        await self._session.execute(
            text("""
                insert into dialogue (desk, chat_id, thread_id, telegram_id, state, data, updated_at)
                values (:desk, :chat, :thread, :who, :state, cast(:data as jsonb), :now)
                on conflict (desk, chat_id, thread_id, telegram_id)
                do update set state = :state, data = cast(:data as jsonb), updated_at = :now
            """),
            values,
        )
