"""What a request leaves out of what an agreement wants."""

import pytest

from crm.tickets.wanted import Field, missing

ALL: tuple[Field, ...] = ("contract", "organization", "subject", "grade", "lesson", "online_lesson", "description")


def test_a_full_request_lacks_nothing() -> None:
    text = """Договор № 2024/17, школа-лицей № 5, 7 «Б» класс, предмет: алгебра, урок 12, онлайн-урок № 345.
    После входа в урок вместо доски белый экран, перезагрузка не помогает."""
    assert missing(ALL, text) == []


def test_a_short_one_lacks_nearly_everything() -> None:
    assert missing(ALL, "Не работает!") == list(ALL)


def test_what_the_desk_knows_is_not_asked_for() -> None:
    assert missing(("contract", "organization"), "Не работает", ("contract", "organization")) == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("contract", "по договору 15/К"),
        ("contract", "Contract no. 77"),
        ("contract", "Шарт № 12"),
        ("organization", "КГУ «Гимназия 3»"),
        ("organization", "Мектеп-лицей"),
        ("subject", "урок русского языка, русский язык"),
        ("subject", "Пән: физика"),
        ("grade", "в 10 классе"),
        ("grade", "5-сынып"),
        ("grade", "Класс: 8"),
        ("lesson", "урок № 4"),
        ("lesson", "3-сабақ"),
        ("online_lesson", "Онлайн-урок 12"),
        ("full_name", "Пишет Серикова Айгерім"),
        ("locality", "г. Астана"),
        ("locality", "Алматы облысы"),
    ],
)
def test_it_is_found_as_people_write_it(field: Field, text: str) -> None:
    assert missing((field,), text) == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("contract", "договор потеряли"),
        ("lesson", "онлайн-урок 12"),
        ("grade", "классная доска"),
        ("description", "SOS"),
    ],
)
def test_what_only_looks_like_it_is_not_taken(field: Field, text: str) -> None:
    assert missing((field,), text) == [field]
