"""The offline checker: what people said, what the desk wrote down, what Telegram was asked to do. Pure.

Nothing said is lost, nothing is there twice, and what was sent twice was marked and written down as a repeat.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

Row = Mapping[str, Any]
MARK = "↻"
# Sending so often at most, whatever happens to the processes.
AT_MOST = 2


@dataclass(frozen=True)
class Said:
    """Words that were written once in the whole test, by a customer (`chat`) or for one."""

    words: str
    by: Literal["customer", "engineer", "note"]
    chat: int


@dataclass
class Evidence:
    """`tickets`: id, reference, thread_id, chat (of the requester). `messages`: ticket_id, author_kind, words.
    `outbox`: id, kind, state, repeats, ticket_id, words. `inbox`: external_key, state. `events`: ticket_id, kind.
    """

    said: list[Said]
    tickets: Sequence[Row]
    messages: Sequence[Row]
    outbox: Sequence[Row]
    inbox: Sequence[Row]
    events: Sequence[Row]
    updates: Sequence[Row]
    calls: Sequence[Row]
    group: int
    # How many requests each customer should have, and how often each request should have been taken.
    expected: Mapping[int, int] = field(default_factory=dict)
    taken: Mapping[int, int] = field(default_factory=dict)
    # What a person had to replay may come later than what was said after it.
    replayed: Set[str] = frozenset()


def check(evidence: Evidence) -> list[str]:
    """Every complaint, in words; none when all is well."""
    return [
        *_boxes(evidence),
        *_requests(evidence),
        *_words(evidence),
        *_acknowledgements(evidence),
        *_order(evidence),
    ]


def carried_out(calls: Iterable[Row], *methods: str) -> list[Row]:
    """Calls that Telegram did, whether or not the desk heard so."""
    return [call for call in calls if call["ok"] and call["method"] in methods]


def bare(text: str) -> tuple[str, bool]:
    """The text without its mark of a repeat, and whether it bore one."""
    marked = text.startswith(MARK)
    return (text.split("\n", 1)[-1] if marked else text), marked


def _boxes(evidence: Evidence) -> Iterator[str]:
    stored = {row["external_key"]: row["state"] for row in evidence.inbox}
    for update in evidence.updates:
        state = stored.get(str(update["update_id"]))
        if state != "done":
            yield f"update {update['update_id']} ({update['kind']}) is {state or 'lost'}"
    for row in evidence.outbox:
        if row["state"] in ("queued", "attempting", "failed"):
            yield f"outbox row {row['id']} ({row['kind']}) is {row['state']}"
    for ticket_id in {row["ticket_id"] for row in evidence.outbox if _in_doubt(row)}:
        doubts = sum(row["ticket_id"] == ticket_id and _in_doubt(row) for row in evidence.outbox)
        told = sum(row["ticket_id"] == ticket_id and row["kind"] == "undelivered" for row in evidence.events)
        if told < doubts:
            yield f"request {ticket_id} has {doubts} messages in doubt and was told of {told}"


def _in_doubt(row: Row) -> bool:
    """Twice nobody could say; a person has to know."""
    return bool(row["state"] == "unknown" and row["kind"] == "relay")


def _requests(evidence: Evidence) -> Iterator[str]:
    owned: dict[int, list[Row]] = defaultdict(list)
    for ticket in evidence.tickets:
        owned[ticket["chat"]].append(ticket)
    for chat, wanted in evidence.expected.items():
        if len(owned[chat]) != wanted:
            yield f"customer {chat} has {len(owned[chat])} requests, not {wanted}"
    made = carried_out(evidence.calls, "createForumTopic")
    for ticket in evidence.tickets:
        topics = [call for call in made if call["params"]["name"].startswith(f"{ticket['reference']} ")]
        repeats = _repeats(evidence, ticket["id"], ("topic.open",))
        if not topics:
            yield f"{ticket['reference']} has no topic"
        if len(topics) > 1 + repeats:
            yield f"{ticket['reference']} has {len(topics)} topics and {repeats} repeats on record"
        yield from _taken(evidence, ticket)


def _taken(evidence: Evidence, ticket: Row) -> Iterator[str]:
    """A press of «take» by the engineer who has answered already, on a card drawn before, changes nothing."""
    wanted = evidence.taken.get(ticket["id"])
    kinds = [row["kind"] for row in evidence.events if row["ticket_id"] == ticket["id"]]
    took = kinds.count("take")
    if wanted is not None and took != wanted and (took > wanted or "replied" not in kinds):
        yield f"{ticket['reference']} was taken {took} times, not {wanted}"


def _repeats(evidence: Evidence, ticket_id: int, kinds: Sequence[str]) -> int:
    return sum(row["repeats"] for row in evidence.outbox if row["ticket_id"] == ticket_id and row["kind"] in kinds)


def _words(evidence: Evidence) -> Iterator[str]:
    written: dict[str, list[Row]] = defaultdict(list)
    for message in evidence.messages:
        written[message["words"]].append(message)
    sent: dict[str, list[tuple[Row, bool]]] = defaultdict(list)
    for call in carried_out(evidence.calls, "sendMessage"):
        words, marked = bare(call["params"]["text"])
        sent[words].append((call, marked))
    rows = {row["words"]: row for row in evidence.outbox if row["kind"] == "relay"}
    threads = {ticket["id"]: ticket["thread_id"] for ticket in evidence.tickets}
    for said in evidence.said:
        stored = written[said.words]
        if len(stored) != 1:
            yield f"{said.words!r} was written down {len(stored)} times"
            continue
        copies = sent[said.words]
        if said.by == "note":
            if copies:
                yield f"the note {said.words!r} was sent to {[call['params']['chat_id'] for call, _ in copies]}"
            continue
        yield from _copies(said.words, copies, rows.get(said.words))
        for call, _ in copies:
            params = call["params"]
            if said.by == "customer":
                right = params["chat_id"] == evidence.group
                right = right and params.get("message_thread_id") == threads.get(stored[0]["ticket_id"])
            else:
                right = params["chat_id"] == said.chat
            if not right:
                yield f"{said.words!r} went astray, to {params['chat_id']}/{params.get('message_thread_id')}"


def _copies(words: str, copies: list[tuple[Row, bool]], row: Row | None) -> Iterator[str]:
    if row is None:
        yield f"{words!r} has no row in the outbox"
        return
    if not copies and row["state"] != "unknown":
        yield f"{words!r} never arrived ({row['state']})"
    yield from _repeated(repr(words), [marked for _, marked in copies], row["repeats"])


def _repeated(what: str, marks: list[bool], repeats: int) -> Iterator[str]:
    """At most once unmarked, every further time marked and on record."""
    if len(marks) > AT_MOST:
        yield f"{what} was sent {len(marks)} times"
    if marks.count(False) > 1:
        yield f"{what} was repeated without a mark"
    if len(marks) > 1 + repeats:
        yield f"{what} was sent {len(marks)} times with {repeats} repeats on record"


def _acknowledgements(evidence: Evidence) -> Iterator[str]:
    said = [
        (call["params"]["chat_id"], *bare(call["params"]["text"]))
        for call in carried_out(evidence.calls, "sendMessage")
    ]
    for ticket in evidence.tickets:
        head = f"{ticket['reference']} is registered."
        marks = [marked for chat, words, marked in said if chat == ticket["chat"] and words.startswith(head)]
        doubtful = any(row["state"] == "unknown" and row["ticket_id"] == ticket["id"] for row in evidence.outbox)
        if not marks and not doubtful:
            yield f"{ticket['reference']} was never acknowledged"
        yield from _repeated(head, marks, _repeats(evidence, ticket["id"], ("say",)))


def _order(evidence: Evidence) -> Iterator[str]:
    """What was said in one place arrives in that order."""
    first: dict[str, int] = {}
    for call in carried_out(evidence.calls, "sendMessage"):
        first.setdefault(bare(call["params"]["text"])[0], call["n"])
    lines: dict[tuple[str, int], list[str]] = defaultdict(list)
    for said in evidence.said:
        if said.by != "note" and said.words in first and said.words not in evidence.replayed:
            lines[said.by, said.chat].append(said.words)
    for words in lines.values():
        for before, after in pairwise(words):
            if first[before] > first[after]:
                yield f"{after!r} overtook {before!r}"
