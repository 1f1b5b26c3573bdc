"""Phrases as people can read them: one alternative of a pattern a line."""

import re

_BLANKS = re.compile(r"[^\S\n]{9,}")
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n){3,}")


def alternatives(phrases: str) -> str:
    """A group that matches any of the lines; each is a pattern of its own, white space around it does not count."""
    return "(?:" + "|".join(line.strip() for line in phrases.splitlines() if line.strip()) + ")"


def any_of(phrases: str, before: str = "", after: str = "") -> re.Pattern[str]:
    """Finds any of the lines, in any case, `^` and `$` at each line of the text."""
    return re.compile(before + alternatives(phrases) + after, re.IGNORECASE | re.MULTILINE)


def names(listed: str) -> frozenset[str]:
    """Words between white space."""
    return frozenset(listed.split())


def calm(text: str, longest: int) -> str:
    """The beginning of a text, long runs of white space shortened: patterns would walk over them again and again."""
    return _EMPTY_LINES.sub("\n\n\n", _BLANKS.sub(" " * 8, text[:longest]))
