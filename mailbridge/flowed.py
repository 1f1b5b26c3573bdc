"""`format=flowed` (RFC 3676): lines that a program broke are joined again."""

import re


def unflowed(text: str, delsp: bool) -> str:
    """`delsp`: the blank at a soft break belongs to the break, not to the text."""
    lines: list[str] = []
    paragraph, depth, open_ = "", 0, False
    for line in text.split("\n"):
        quotes = re.match(r">*", line)[0]  # type: ignore[index]
        rest = line[len(quotes) :].removeprefix(" ")
        goes_on = open_ and len(quotes) == depth and rest != "-- "
        if not goes_on and (open_ or paragraph):
            lines.append(_quoted(paragraph, depth))
            paragraph = ""
        depth = len(quotes)
        open_ = rest.endswith(" ") and rest != "-- "
        paragraph += rest[:-1] if open_ and delsp else rest
        if not open_:
            lines.append(_quoted(paragraph, depth))
            paragraph = ""
    if paragraph:
        lines.append(_quoted(paragraph, depth))
    return "\n".join(lines)


def _quoted(text: str, depth: int) -> str:
    text = text if text == "-- " else text.rstrip()
    return f"{'>' * depth} {text}".rstrip() if depth else text
