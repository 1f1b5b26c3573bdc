"""Texts in the language of whoever reads them."""

import pytest

from crm.texts import texts

WAITING = ("One request was waiting and is coming now.", "{n} requests were waiting and are coming now.")


@pytest.mark.parametrize(("language", "words"), [("kk", "Артқа"), ("ru", "Назад"), ("en", "Back")])
def test_a_text_is_in_its_language(language: str, words: str) -> None:
    assert texts(language)("Back") == words


def test_an_unknown_text_stays_as_it_is() -> None:
    assert texts("ru")("No such text") == "No such text"


def test_facts_fill_the_text_and_are_not_read_as_places() -> None:
    assert texts("en")("Added to {reference}.", reference="{n}") == "Added to {n}."


def test_a_text_without_facts_may_hold_braces() -> None:
    assert texts("en")("{braces}") == "{braces}"


def test_russian_has_three_plural_forms() -> None:
    said = [texts("ru").n(*WAITING, n) for n in (1, 2, 5, 11, 21, 22, 25, 111)]
    shapes = [words.replace(str(n), "#") for words, n in zip(said, (1, 2, 5, 11, 21, 22, 25, 111), strict=True)]
    assert shapes[1] == shapes[5] != shapes[0]
    assert shapes[2] == shapes[3] == shapes[6] == shapes[7] != shapes[1]
    assert len({words.replace("#", "") for words in shapes}) == 3


def test_kazakh_keeps_the_noun_as_it_is_after_a_number() -> None:
    one, many = (texts("kk").n(*WAITING, n).replace(str(n), "#") for n in (1, 7))
    assert one == many


def test_a_language_without_a_catalogue_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        texts("de")
