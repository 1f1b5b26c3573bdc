"""The language of a text, as far as letters tell. Pure."""

import re

_KAZAKH = re.compile(r"[әғқңөұүһӘҒҚҢӨҰҮҺ]")
_UKRAINIAN = re.compile(r"[їєґЇЄҐ]")
_CYRILLIC = re.compile(r"[а-яёіА-ЯЁІ]")
_LATIN = re.compile(r"[a-zA-Z]")


def language_of(text: str) -> str | None:
    """`kk`, `ru` or `en`; None if there is nothing to tell it by.

    Kazakh is told by the letters that only it has: a text of some length without any of them is Russian.
    """
    if len(_KAZAKH.findall(text)) > len(_UKRAINIAN.findall(text)):
        return "kk"
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if not cyrillic and not latin:
        return None
    # A Russian text is full of commands and names in Latin letters; the other way round it is not.
    return "ru" if cyrillic * 4 >= latin else "en"
