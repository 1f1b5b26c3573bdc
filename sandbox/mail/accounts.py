"""Who has a mailbox here, and whose an address is."""

from dataclasses import dataclass

LANGUAGES = ("kk", "ru", "en")


@dataclass(frozen=True, slots=True)
class Account:
    """`address` is the plain one; what follows a plus sign in it is the same person's. `desk`: the desk's own mailbox,
    which no person plays."""

    address: str
    name: str
    password: str
    language: str = "en"
    desk: bool = False

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


class Accounts:
    """All mailboxes by their addresses."""

    def __init__(self) -> None:
        self._by_address: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        self._by_address[account.address] = account

    def all(self) -> list[Account]:
        return list(self._by_address.values())

    def find(self, address: str) -> Account | None:
        """By any form of the address: capitals and a part after a plus sign make no other person."""
        local, _, domain = address.strip().lower().rpartition("@")
        return self._by_address.get(f"{local.partition('+')[0]}@{domain}")

    def is_local(self, address: str) -> bool:
        """Is it of a domain that has mailboxes here?"""
        return address.rpartition("@")[2].lower() in {account.domain for account in self._by_address.values()}
