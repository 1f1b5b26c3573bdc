"""What is no text, called by a word of the reader's language. Pure.

The desk stores it as neither: a photo without a caption gives its ticket the subject `[photo]`.
"""

from typing import Any

from crm.texts import Texts


def _labels(t: Texts) -> dict[str, str]:
    return {
        "animation": t("animation"),
        "photo": t("photo"),
        "document": t("file"),
        "voice": t("voice message"),
        "video": t("video"),
        "video_note": t("video message"),
        "sticker": t("sticker"),
        "audio": t("audio"),
        "venue": t("place"),
        "location": t("location"),
        "contact": t("contact"),
        "dice": t("dice"),
        "text": t("empty message"),
    }


def subject(t: Texts, stored: str) -> str:
    """A ticket's subject as it is shown."""
    return next((f"[{label}]" for kind, label in _labels(t).items() if stored == f"[{kind}]"), stored)


def words(t: Texts, content: dict[str, Any]) -> str:
    """A message in one line: its text, after the kind of what else it is."""
    text: str = content.get("text", "")
    if content["type"] == "text":
        return text
    return f"[{_labels(t).get(content['type'], content['type'])}] {text}".rstrip()
