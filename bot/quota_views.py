"""What customers read who want more for a cabinet. Pure."""

from collections.abc import Mapping, Sequence

from aiogram.utils.formatting import Bold, as_list

from bot import keyboards
from bot.callbacks import Quota
from bot.cloud_views import LABEL, first_page, leaving, own_words
from bot.keyboards import Rows, button
from bot.rendered import Rendered, render
from crm.cloud import amounts, words
from crm.cloud.access import Cabinet
from crm.cloud.choices import Limit
from crm.cloud.rules import Resource
from crm.notices import Look, type_labels
from crm.texts import Texts


def _step(dialogue: int, step: str, cabinet: int, resource: str = "", amount: int = 0) -> Quota:
    return Quota(dialogue=dialogue, step=step, cabinet=cabinet, resource=resource, amount=amount)


def cabinets(look: Look, found: Sequence[Cabinet], dialogue: int) -> Rendered:
    t = look.t
    rows: Rows = [[button(one.name[:LABEL], _step(dialogue, "look", one.id))] for one in found]
    rows += own_words(t, dialogue) + leaving(t, dialogue)
    return render(as_list(Bold(type_labels(t)["quota"]), t("In which cabinet?")), keyboards.inline(rows))


def resources(look: Look, own: Cabinet, limits: Mapping[Resource, Limit], dialogue: int, several: bool) -> Rendered:
    """What the cabinet may have, and what of it is taken. `several`: it is one of more."""
    t, labels = look.t, words.resource_labels(look.t)
    lines = [
        t(
            "{resource}: {allowed}, used {used}",
            resource=labels[resource],
            allowed=words.amount(t, resource, limit.allowed),
            used=words.amount(t, resource, limit.used),
        )
        for resource, limit in limits.items()
    ]
    made = [button(labels[resource], _step(dialogue, "pick", own.id, resource)) for resource in limits]
    rows: Rows = [made[n : n + 2] for n in range(0, len(made), 2)]
    rows += own_words(t, dialogue) + leaving(t, dialogue, first_page(dialogue) if several else None)
    return render(as_list(Bold(own.name), *lines, "", t("What should be more?")), keyboards.inline(rows))


def how_much(look: Look, own: Cabinet, resource: Resource, limit: Limit, dialogue: int, note: str = "") -> Rendered:
    """`note`: why the last answer would not do."""
    t = look.t
    rows: Rows = []
    for label, value in amounts.offered(resource, limit.allowed, limit.most):
        shown = f"{label} → {words.amount(t, resource, value)}"
        rows.append([button(shown, _step(dialogue, "check", own.id, resource, value))])
    room = limit.most is None or limit.most > limit.allowed
    if room:
        rows.append([button(t("Another number"), _step(dialogue, "write", own.id, resource))])
    rows += own_words(t, dialogue) + leaving(t, dialogue, _step(dialogue, "look", own.id))
    lines = [Bold(headline(t, own, resource)), *_present(t, resource, limit)]
    lines.append(t("How much should it be in all?") if room else _full(t))
    return render(as_list(*filter(None, [note]), *lines), keyboards.inline(rows))


def write(look: Look, own: Cabinet, resource: Resource, limit: Limit, dialogue: int, note: str = "") -> Rendered:
    """The next message is the number."""
    t = look.t
    how = (
        t("Write how many GB it should be in all, for example 64.")
        if resource == "ram"
        else t("Write how many it should be in all, for example 16.")
    )
    rows = leaving(t, dialogue, _step(dialogue, "pick", own.id, resource))
    lines = [*filter(None, [note]), Bold(headline(t, own, resource)), *_present(t, resource, limit), how]
    return render(as_list(*lines), keyboards.inline(rows))


def check(look: Look, own: Cabinet, resource: Resource, limit: Limit, value: int, dialogue: int) -> Rendered:
    t = look.t
    change = f"{words.amount(t, resource, limit.allowed)} → {words.amount(t, resource, value)}"
    ask = button(t("Ask for it"), _step(dialogue, "ask", own.id, resource, value), "success")
    rows: Rows = [[ask], *leaving(t, dialogue, _step(dialogue, "pick", own.id, resource))]
    lines = [Bold(headline(t, own, resource)), change, t("An engineer has to agree first.")]
    return render(as_list(*lines), keyboards.inline(rows))


def headline(t: Texts, own: Cabinet, resource: Resource) -> str:
    return f"{own.name} · {words.resource_labels(t)[resource]}"


def _present(t: Texts, resource: Resource, limit: Limit) -> list[str]:
    now = t(
        "Now: {allowed}, used {used}.",
        allowed=words.amount(t, resource, limit.allowed),
        used=words.amount(t, resource, limit.used),
    )
    if limit.most is None or limit.most <= limit.allowed:
        return [now]
    return [now, t("At most: {most}.", most=words.amount(t, resource, limit.most))]


def _full(t: Texts) -> str:
    return t("No more can be given by a button now; write to us in your own words, and we look for a way.")


def too_much(t: Texts, resource: Resource, most: int) -> str:
    return "❗️ " + t("That is too much: {most} at most.", most=words.amount(t, resource, most))


def too_little(t: Texts) -> str:
    return "❗️ " + t("It has to be more than now.")


def no_number(t: Texts, resource: Resource) -> str:
    example = "64" if resource == "ram" else "16"
    return "❗️ " + t("I could not read that number. Write it in digits only, for example {number}.", number=example)
