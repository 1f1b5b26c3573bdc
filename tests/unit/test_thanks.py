"""Thanks after an answer are no request."""

import pytest

from crm.tickets.thanks import only_thanks


@pytest.mark.parametrize(
    "words",
    [
        "Спасибо!", "спасибо большое", "Благодарю вас за помощь", "Спасибо, всё хорошо", "ок, спасибо", "СПС", "Понял",
        "ок", "Рахмет", "Көп рахмет сізге!", "рақмет, түсінікті", "Үлкен рахмет көмегіңізге", "Thanks a lot!",
        "thank you very much",
        "Thx", "Great, thanks", "👍", "🙏🙏", "❤️", "👍🏼", "Спасибо 🙏",
    ],
)  # fmt: skip
def test_thanks(words: str) -> None:
    assert only_thanks({"type": "text", "text": words})


@pytest.mark.parametrize(
    "words",
    [
        "", "Спасибо, но не работает", "Спасибо, а когда?", "Рахмет, бірақ қосылмайды", "thanks, but it fails",
        "За ответ", "Спасибо" + " большое" * 20, "Спасибо 2 раза не пришло", "ок?", "все", "хорошо бы помощь", "Жауап",
        "it", "help",
        "Помощь", "ответ за 5", "😡", "👎", "10.0.0.5", "спасибо за счёт",
    ],
)  # fmt: skip
def test_no_thanks(words: str) -> None:
    assert not only_thanks({"type": "text", "text": words})


def test_a_picture_is_never_only_thanks() -> None:
    assert not only_thanks({"type": "photo", "text": "спасибо"})
