"""How well replies are read: how many exactly right, and the overlap of words; ours beside what is installed.

`python -m tests.bench.reading`: over the corpus of mails and over the short texts (`tests/data/replies.jsonl`), which
were for the most part written before the code had seen them. A peer that isn't installed is left out.
"""

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mailbridge.parse import parse
from mailbridge.reply import reply_text

DATA = Path(__file__).parent.parent / "data"
MAILS = DATA / "mail"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    text: str
    html: str | None
    reply: str


def normalised(text: str) -> str:
    return " ".join(text.split())


def overlap(found: str, wanted: str) -> float:
    """Token F1."""
    one, other = found.split(), wanted.split()
    if not one or not other:
        return float(one == other)
    return 2 * sum((Counter(one) & Counter(other)).values()) / (len(one) + len(other))


def texts() -> list[Case]:
    """The short texts."""
    lines = (DATA / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case(case["name"], case["text"], case.get("html"), case["reply"]) for case in map(json.loads, lines)]


def mails() -> list[Case]:
    """Those of the corpus that say what their reply is."""
    cases = []
    for path in sorted(MAILS.rglob("*.eml")):
        wanted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if "reply_text" in wanted:
            body = parse(path.read_bytes())
            name = str(path.relative_to(MAILS).with_suffix(""))
            cases.append(Case(name, body.text, body.html, wanted["reply_text"]))
    return cases


def readers() -> dict[str, Callable[[Case], str]]:
    """Ours and whatever of the others is installed."""
    found: dict[str, Callable[[Case], str]] = {"ours": lambda case: reply_text(case.text, case.html)}
    try:
        peer = importlib.import_module("mailparser_reply")
        tongues = [
            tongue
            for tongue in importlib.import_module("mailparser_reply.constants").MAIL_LANGUAGES
            if len(tongue) == 2
        ]
        found["mail-parser-reply"] = lambda case: peer.EmailReplyParser(languages=tongues).parse_reply(case.text) or ""
    except ImportError:
        pass
    try:
        old = importlib.import_module("email_reply_parser")
        found["email_reply_parser"] = lambda case: str(old.EmailReplyParser.parse_reply(case.text))
    except ImportError:
        pass
    try:
        talon = importlib.import_module("talon.quotations")
        brute = importlib.import_module("talon.signature.bruteforce")
        found["talon"] = lambda case: str(brute.extract_signature(talon.extract_from_plain(case.text))[0])
    except ImportError:
        pass
    return found


def score(read: Callable[[Case], str], cases: Iterable[Case]) -> tuple[float, float]:
    """Share that is exactly right apart from white space, and mean overlap."""
    pairs = [(normalised(read(case)), normalised(case.reply)) for case in cases]
    return sum(one == other for one, other in pairs) / len(pairs), sum(overlap(*pair) for pair in pairs) / len(pairs)


def main() -> None:
    table = Table("reader", "cases", "exactly right", "token F1")
    for title, cases in (("corpus of mails", mails()), ("short texts", texts())):
        for name, read in readers().items():
            exact, words = score(read, cases)
            table.add_row(f"{name}, {title}", str(len(cases)), f"{exact:.1%}", f"{words:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
