"""What confirms or rejects a solution by mail: only what is beyond doubt."""

import pytest

from crm.texts import texts
from mailbridge.answers import choice, code

CONFIRMS = [
    "+", "++", "👍", "✅", "Да", "да, работает", "Да, всё работает!", "Да, работает. Спасибо!",
    "Всё работает\n\nСпасибо", "иә, жұмыс істейді", "Иә, бәрі жұмыс істеп тұр. Рақмет!", "Растаймын",
    "yes, it works", "Yes, it works. Thanks!", "It works now\nThank you", "Solved", "Решено.",
    "Подтверждаю: PD-1042 решена", "I confirm: GN-7 is solved\n\nSent from my phone", "Растаймын: PD-1 шешілді",
    "\n\n  Подтверждаю: PD-1042 решена  \nи ещё вопрос", "да\nспасибо большое",
]  # fmt: skip
REJECTS = [
    "Не решено: PD-1042\nВсё ещё 502", "Not solved: PD-1042", "Шешілген жоқ: PD-1042\nқате", "не работает",
    "Не работает. Пишет ошибку 502", "Нет, не работает!", "Нет", "Жоқ", "жұмыс істемейді", "still not working",
    "No", "It doesn't work\nI get an error", "👎", "Всё ещё не работает; проверьте",
]  # fmt: skip
NEITHER = [
    "", "\n", "Да, но теперь не открывается почта", "Да\nНо появилась новая ошибка", "Работает?", "Не всё работает",
    "Да, работает. Но медленно", "Спасибо", "Не знаю, работает ли", "Проверю завтра",
    "It works on my machine, not here", "Yes, but it does not", "Решено не всё", "+ ещё один вопрос",
    "нет доступа к кабинету", "No access", "Иә, бірақ баяу", "Подтверждаю получение", "PD-1042",
    "Да, работает, а когда счёт?", "Да\nкогда будет счёт?",
]  # fmt: skip


@pytest.mark.parametrize("text", CONFIRMS)
def test_confirms(text: str) -> None:
    assert choice(text) == "confirm"


@pytest.mark.parametrize("text", REJECTS)
def test_rejects(text: str) -> None:
    assert choice(text) == "reject"


@pytest.mark.parametrize("text", NEITHER)
def test_is_a_message_for_a_person(text: str) -> None:
    assert choice(text) is None


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_what_the_links_write_is_understood_in_any_language(language: str) -> None:
    t = texts(language)
    assert choice(code("confirm", "PD-1042", t) + "\r\n") == "confirm"
    assert choice(code("reject", "PD-1042", t) + "\r\nпотому что") == "reject"
