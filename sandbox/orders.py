"""Faults on order, however they strike: an order waits its turn, then strikes as often as it was told to."""

from collections.abc import Callable
from typing import Protocol, TypeVar


class Order(Protocol):
    """`after` lets that many matching deeds pass; `times` counts down, None is for ever."""

    after: int
    times: int | None


Some = TypeVar("Some", bound=Order)


def strike(orders: list[Some], fits: Callable[[Some], bool]) -> Some | None:
    """The first order that strikes this deed, if one does; one that is used up leaves the list."""
    for order in orders:
        if not fits(order):
            continue
        if order.after > 0:
            order.after -= 1
            continue
        if order.times is not None:
            order.times -= 1
            if order.times <= 0:
                orders.remove(order)
        return order
    return None
