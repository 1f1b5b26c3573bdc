"""How much, in the ways that people write it; what is offered; what a new cabinet is called."""

import pytest

from crm.cloud import amounts, naming
from crm.cloud.choices import Going, Machine
from crm.cloud.rules import Power, Resource
from crm.errors import WrongInput
from tests.factories import NOW


@pytest.mark.parametrize(
    ("words", "language", "value"),
    [
        ("16", "ru", 16),
        (" 16 ", "kk", 16),
        ("1 024", "ru", 1024),
        ("1\u00a0024", "kk", 1024),
        ("1\u202f024", "kk", 1024),
        ("1'024", "en", 1024),
        ("1,024", "en", 1024),
        ("12 345 678", "ru", None),
        ("16,0", "ru", 16),
        # A comma divides thousands in English, and parts everywhere else: not guessed.
        ("1,024", "ru", None),
        ("1.024", "ru", None),
        ("1,5", "ru", None),
        ("1 5", "ru", None),
        ("10 24", "ru", None),
        ("1,2,3", "en", None),
        ("16 шт", "ru", None),
        ("16 ГБ", "ru", None),
        ("-16", "ru", None),
        ("0", "ru", None),
        ("9" * 24, "ru", None),
        ("٣", "ru", None),
        ("", "ru", None),
    ],
)
def test_a_number_as_it_is_written(words: str, language: str, value: int | None) -> None:
    if value is None:
        with pytest.raises(WrongInput):
            amounts.parse("vcpus", words, language)
    else:
        assert amounts.parse("vcpus", words, language) == value


@pytest.mark.parametrize(
    ("words", "mib"),
    [
        ("64", 65536),
        ("64 GB", 65536),
        ("64gib", 65536),
        ("64 ГБ", 65536),
        ("64 г", 65536),
        ("512 МБ", 512),
        ("1,5 ТБ", 1572864),
        ("0,5", 512),
        ("1 024,5 ГБ", 1049088),
        ("0,0001 ГБ", None),
        ("16 TB", None),
        ("64 кг", None),
    ],
)
def test_memory_is_meant_in_gigabytes(words: str, mib: int | None) -> None:
    if mib is None:
        with pytest.raises(WrongInput):
            amounts.parse("ram", words, "kk")
    else:
        assert amounts.parse("ram", words, "kk") == mib


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("16", True),
        ("примерно 16", True),
        ("много", False),
        ("1\n2", False),
        ("Сервер 10.0.0.1 опять не отвечает", False),
    ],
)
def test_what_was_meant_as_a_number(words: str, meant: bool) -> None:
    assert amounts.looks_like_number(words) is meant


@pytest.mark.parametrize(
    ("resource", "allowed", "most", "offered"),
    [
        ("vcpus", 10, None, [("+25 %", 13), ("+50 %", 15), ("×2", 20)]),
        ("vcpus", 10, 15, [("+25 %", 13), ("+50 %", 15)]),
        ("vcpus", 10, 10, []),
        ("vcpus", 1, None, [("×2", 2)]),
        ("vcpus", 0, None, []),
        # Whole gigabytes.
        ("ram", 5120, None, [("+25 %", 7168), ("+50 %", 8192), ("×2", 10240)]),
        ("vcpus", 9_000_000, None, []),
    ],
)
def test_what_is_offered(resource: Resource, allowed: int, most: int | None, offered: list[tuple[str, int]]) -> None:
    assert amounts.offered(resource, allowed, most) == offered


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("ТОО «Айгүл Trade»", "pd-too-aigul-trade-1042"),
        ("Жаңа Өмір, Шымкент", "pd-zhana-omir-shymkent-1042"),
        ("Müller & Söhne", "pd-muller-sohne-1042"),
        ("北京", "pd-1042"),
        ("'; drop table --", "pd-drop-table-1042"),
        ("а" * 200, f"pd-{'a' * 30}-1042"),
    ],
)
def test_a_cabinet_has_a_name_that_every_cloud_takes(name: str, account: str) -> None:
    assert naming.account("PD-1042", name) == account


@pytest.mark.parametrize(
    ("status", "task", "locked", "offers"),
    [
        ("ACTIVE", None, False, ("reboot", "stop")),
        ("ACTIVE", None, True, ("reboot", "unlock", "stop")),
        ("ACTIVE", "rebooting_hard", False, ("reboot",)),
        ("SHUTOFF", None, False, ("start",)),
        ("SHUTOFF", "powering-on", False, ()),
        ("ERROR", None, False, ("reboot",)),
        ("BUILD", "spawning", False, ()),
        ("NEVER_HEARD_OF", None, False, ()),
    ],
)
def test_of_a_machine_only_what_makes_sense_is_offered(
    status: str, task: str | None, locked: bool, offers: tuple[Power, ...]
) -> None:
    machine = Machine(1, "s", "p", "web-1", None, status, task, locked)
    assert machine.offers == offers
    busy = Machine(1, "s", "p", "web-1", None, status, task, locked, Going("reboot", "running", NOW, None))
    assert busy.offers == ()
