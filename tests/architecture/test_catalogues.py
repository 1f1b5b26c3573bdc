"""Catalogues are complete in three languages, and nothing that people read stands outside of them."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from crm.texts import LOCALES
from locales.collect import SOURCES, collected
from tests.factories import PROFILE

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = sorted(path.name for path in LOCALES.iterdir() if (path / "LC_MESSAGES").exists())
PLURALS = {"kk": 2, "ru": 3, "en": 2}


def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / "kezekshi.po").open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def ids_of(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def strings_of(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def places(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_the_desks_languages_have_catalogues() -> None:
    assert set(LANGUAGES) == set(PROFILE.languages) == set(PLURALS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_code_is_translated_and_nothing_else(language: str) -> None:
    wanted = {ids_of(message) for message in collected() if message.id}
    found = {ids_of(message): strings_of(message) for message in catalogue(language) if message.id}
    assert set(found) == wanted
    assert [ids for ids, words in found.items() if not all(words)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_marked_as_doubtful(language: str) -> None:
    assert [message.id for message in catalogue(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_places_for_facts_are_the_same_in_every_language(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            wanted = set.union(*(places(words) for words in ids_of(message)))
            for words in strings_of(message):
                assert places(words) <= wanted, message.id
            assert set.union(*(places(words) for words in strings_of(message))) == wanted, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_as_many_as_the_language_has(language: str) -> None:
    found = catalogue(language)
    assert found.num_plurals == PLURALS[language]
    for message in found:
        if isinstance(message.id, tuple):
            assert len(strings_of(message)) == PLURALS[language], message.id


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_translation_is_in_its_own_letters(language: str) -> None:
    for message in catalogue(language):
        for words in strings_of(message) if message.id else ():
            assert re.search(r"[а-яёәғқңөұүһі]", words.lower()), message.id
            assert ("қ" in words or "ң" in words) <= (language == "kk"), message.id


def test_a_request_has_one_name_in_kazakh() -> None:
    """Өтініш: өтінім is a word of forms and shops."""
    assert [m.id for m in catalogue("kk") if m.id and any("өтінім" in words.lower() for words in strings_of(m))] == []


def test_english_says_what_the_code_says() -> None:
    for message in catalogue("en"):
        if message.id:
            assert strings_of(message) == ids_of(message)


# --- nothing outside of the catalogues ------------------------------------------------------------------------

SHOWN = [
    ROOT / "crm" / "notices.py",
    ROOT / "crm" / "cloud" / "words.py",
    ROOT / "crm" / "cloud" / "notices.py",
    ROOT / "mailbridge" / "compose.py",
    *(
        ROOT / "bot" / name
        for name in (
            "views.py",
            "team_views.py",
            "admin_views.py",
            "duty_views.py",
            "why_views.py",
            "maintenance_views.py",
            "card_views.py",
            "cloud_buttons.py",
            "cloud_notices.py",
            "cloud_refusals.py",
            "hands_views.py",
            "menu.py",
            "keyboards.py",
            "context.py",
        )
    ),
    *sorted((ROOT / "bot" / "handlers").glob("*.py")),
    *sorted((ROOT / "bot" / "fsm").glob("*.py")),
]
TRANSLATING = {"t", "t.n", "_said", "look.t", "ctx.team.t"}
# Words of a sentence: letters, a blank, letters. Keys, formats and method names have none.
SENTENCE = re.compile(r"[^\W\d_]{2,}[,.:;!?–-]* +[^\W\d_]{2,}")
EXCEPTIONS = {
    # Names of routers, seen in logs only.
    "admin commands",
    "group help",
    # What an engineer may type.
    " vcpus=16 ram+8G",
    "/agent rights +money -power",
}


def translated(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return name in TRANSLATING or name.endswith((".t", ".t.n"))


def shown_strings(tree: ast.AST) -> Iterator[str]:
    """Literals that are neither docstrings nor translated, nor SQL, nor regular expressions given to the database."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                skipped.add(id(first.value))
        if isinstance(node, ast.Call) and (translated(node) or ast.unparse(node.func) in ("text", "log.error")):
            skipped |= {id(inner) for argument in node.args for inner in ast.walk(argument)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


@pytest.mark.parametrize("path", SHOWN, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_text_for_people_stands_outside_of_the_catalogues(path: Path) -> None:
    loose = [words for words in shown_strings(ast.parse(path.read_text("utf-8"))) if SENTENCE.search(words)]
    assert [words for words in loose if words not in EXCEPTIONS] == []


@pytest.mark.parametrize("path", SHOWN, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_text_in_letters_of_another_alphabet_stands_in_the_code(path: Path) -> None:
    names = {"Қазақша", "Русский"}
    for words in shown_strings(ast.parse(path.read_text("utf-8"))):
        assert not re.search(r"[а-яёәғқңөұүһі]", words.lower()) or words in names, words


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('render("Not translated at all")', True),
        ('render(t("Translated as it should be"))', False),
        ('render(f"Hello, {name}, how are you")', True),
        ('"""A docstring of a module."""', False),
        ('x = "work:take"', False),
        ('look.t.n("One thing", "{n} things", 2)', False),
    ],
)
def test_the_search_finds_what_it_should(code: str, found: bool) -> None:
    assert any(SENTENCE.search(words) for words in shown_strings(ast.parse(code))) is found


def test_every_text_given_to_be_translated_is_a_plain_literal() -> None:
    """Only those can be collected."""
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                # Buttons of the reply keyboard are looked up by name; `_said` marks them there.
                collectable = path.name == "requester.py" or not (isinstance(call, ast.Call) and translated(call))
                assert collectable or isinstance(call.args[0], ast.Constant), f"{path.name}:{call.lineno}"
