"""A bounded, numbered list: what happened, readable from any number on."""

from collections.abc import Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Journal(Generic[T]):
    """Numbers start at 1 and go on for ever; only the last `keep` items stay."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._items: list[T] = []
        self._gone = 0

    @property
    def last(self) -> int:
        """The number of the newest item, 0 when there never was one."""
        return self._gone + len(self._items)

    def add(self, item: T) -> int:
        """Keep the item and return its number."""
        items = self._items
        items.append(item)
        # Cutting in big slices keeps the cost per item constant.
        if len(items) > self._keep + self._keep // 4:
            cut = len(items) - self._keep
            del items[:cut]
            self._gone += cut
        return self._gone + len(items)

    def after(self, number: int) -> Iterator[T]:
        """Items with a greater number, oldest first."""
        return islice(self._items, max(0, number - self._gone), None)

    def forget(self) -> None:
        """Drop the items; the numbers go on."""
        self._gone += len(self._items)
        self._items.clear()
