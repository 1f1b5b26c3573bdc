"""What people read, in every language: complete, within Telegram's bounds, entities where they belong."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest

from bot import (
    admin_views,
    card_views,
    cloud_buttons,
    cloud_notices,
    duty_views,
    emergency_views,
    hands_views,
    keyboards,
    mail_views,
    maintenance_views,
    menu,
    team_views,
    trial_views,
    views,
)
from bot.content import utf16
from bot.rendered import TEXT_LIMIT, Rendered, render
from bot.views import Look
from crm import errors
from crm.cloud.rules import Kind
from crm.people.models import Agent
from crm.people.shifts import Duty, Override, Shift, week
from crm.texts import texts
from tests.factories import NOW, PROFILE
from tests.unit.cloud_pages import cloud_pages

LANGUAGES = PROFILE.languages
# What people write may look like markup, and is longer in UTF-16 than in letters.
WILD = "🔥<b>*_`[a](tg://user?id=1) {reference} %s қайта"
DUE = NOW + timedelta(minutes=10)
STATUSES = ("new", "open", "pending", "on_hold", "resolved", "closed", "declined")

TARGETS = [
    {"metric": "first_response", "due_at": DUE, "met_at": NOW, "breached_at": None, "stands": True},
    {"metric": "resolution", "due_at": DUE, "met_at": None, "breached_at": None, "stands": False},
]
TICKET = {
    "id": 2**62,
    "reference": "PD-1042",
    "subject": WILD,
    "status": "open",
    "priority": "high",
    "type": "fault",
    "queue": "support",
    "requester": WILD,
    "language": "kk",
    "telegram_id": 2**52,
    "unreachable": True,
    "mail": "aigerim@example.kz",
    "mail_unreachable": True,
    "assignee": WILD,
    "related": "PD-1001",
    "organization": WILD,
    "contract": "№ 17",
    "merged_into": "PD-1043",
    "cloud": None,
    "targets": TARGETS,
    "due_at": DUE,
    "opened_at": NOW,
    "breached": False,
}
FACTS: dict[str, Any] = {
    "reference": "PD-1042",
    "due_at": DUE.isoformat(),
    "type": "vm",
    "ticket": 2**62,
    "reason": WILD,
    "metric": "resolution",
    "share": 0.8,
    "after": 90,
    "mention": [{"id": 5, "name": WILD}, {"id": 6, "name": "Ерлан"}],
    "name": WILD,
    "stars": 5,
    "raised": "high",
    "assigned": WILD,
    "reachable": False,
    "id": 2**62,
    "closes_at": DUE.isoformat(),
    "ends_at": DUE.isoformat(),
    "days": 5,
    "reopen_days": 14,
    "minutes": 60,
    "emergency": WILD,
    "promises": [{"metric": metric, "due_at": DUE.isoformat()} for metric in ("first_response", "resolution")],
    "before": "support",
    "queue": "infrastructure",
    "number": 2**62,
    "start": NOW.isoformat(),
    "end": (NOW + timedelta(days=1)).isoformat(),
    "by": WILD,
    "organization": WILD,
    "address": "aigerim@example.kz",
    "permanent": False,
    "subject": WILD,
    "text": WILD,
    "fields": ["contract", "grade"],
    "asked": True,
    "code": "12345678",
    "into": "PD-1043",
    "limits": {"instances": 2, "ram": 8192},
    "phone": "+77011234567",
    "verified": True,
    "launched_at": NOW.isoformat(),
    "opened_at": NOW.isoformat(),
    "billing": "PD-1044",
    "project": "p-17",
    "references": ["PD-1042"] * 500,
    "seen_at": NOW.isoformat(),
    "chat": -(10**12 + 2**40),
    "thread": 2**31,
    "since": NOW.isoformat(),
    "problem": WILD * 20,
    "drifts": [
        {
            "project": WILD * 3,
            "organization": WILD * 3 if n else None,
            "resource": "ram",
            "granted": 51_200,
            "allowed": -1,
        }
        for n in range(20)
    ],
    "more": 2,
    "mails": [{"id": 2**40 + n, "address": "a@b.kz", "subject": WILD[:200]} for n in range(20)],
}
SERVER = {"status": "HARD_REBOOT", "task": "rebooting_hard", "power": "running", "locked": True, "name": WILD}
ENTRY = {
    "id": "req-1",
    "action": "reboot",
    "started_at": f"{NOW}",
    "finished_at": None,
    "succeeded": None,
    "text": WILD,
}
LIMITS = {"instances": 5, "vcpus": 16, "ram": 32768, "networks": 5, "routers": -1, "floating_ips": 2}
ACTION: dict[str, Any] = {
    **FACTS,
    "action": 2**62,
    "title": WILD,
    "parameters": {},
    "digest": "0123abcd",
    "state": "unknown",
    "said": "<html>502 Bad Gateway" * 100,
    "asker": WILD,
    "asks": True,
    "present": {"vcpus": 10, "ram": 20480},
    "observed": {"server": SERVER, "entry": ENTRY},
    "seconds": 94.2,
    "promised": 600,
    "at": NOW.isoformat(),
    "resolved": True,
    "url": "https://desk.example.kz/secret/abc",
    "expires_at": DUE.isoformat(),
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "quota": {"limits": LIMITS},
    "link": {"zones": ["zone-a", "zone-b"], "name": "link-zone-a-zone-b"},
    "open": {"account": "ab-school", "limits": LIMITS, "email": "a@b.kz", "description": WILD},
}
OF_ACTIONS = {
    "customer": [name for name in views.NOTICES if name.startswith(("action_", "secret_"))],
    "team": [name for name in team_views.NOTICES if name.startswith(("action_", "secret_"))],
}
VM = {
    "id": 2**62,
    "server_id": "s-1",
    "project_id": "p-1",
    "zone": "zone-a",
    "vcpus": 4,
    "ram": 8192,
    "log": [ENTRY] * 5,
    "cabinet": WILD,
    "swept_at": NOW,
    "deleted_at": None,
    **SERVER,
}
CLOUD: dict[str, Any] = {
    "seen_at": NOW,
    "problem": "no connection",
    "cabinets": [
        {
            "project_id": f"p-{n}",
            "name": WILD * 9,
            "machines": 4,
            "quotas": {name: {"used": 10**7, "allowed": 10**7} for name in ("instances", "vcpus", "ram")},
        }
        for n in range(5)
    ],
    "more": 3,
    "machine": {**VM, "id": "s-1", "name": WILD * 9},
    "actions": [
        {
            "id": 2**62,
            "kind": "reboot",
            "title": WILD * 9,
            "parameters": {},
            "state": state,
            "phase": None,
            "reason": None,
            "asker": WILD,
            "approver": WILD,
            "planned_at": NOW,
            "expires_at": DUE,
            "started_at": NOW if state == "running" else None,
            "finished_at": None,
        }
        for state in ("planned", "approved", "running", "unknown", "succeeded")
    ],
}
MAIL = {
    "type": "text",
    "text": f"{WILD}\n\n" * 300,
    "mail": {"address": "a@b.kz", "name": WILD, "proven": False, "failed": True},
}
# A customer's notice has one reason of a few, a team's the words of a person.
MOVED = {**FACTS, "reason": "transfer"}
MESSAGE = {"kind": "note", "author": WILD, "sent_at": NOW, "content": {"type": "text", "text": WILD}}
AGENT = Agent(id=7, desk="prodata", telegram_id=5, name=WILD, role="lead", on_duty=False, active=True, created_at=NOW,
    rights=["power"])  # fmt: skip
ON, OFF = Duty(None, (), True), Duty(None, (), False)
LATER = Duty(None, (Override(True, DUE, None),), False)
# NOW is a Sunday, 14:00.
SHIFTS = Duty(week("Asia/Almaty", (Shift(6, 540, 1080), Shift(6, 1200, 1920))), (), False)
WEEK = [NOW.date() + timedelta(days=n) for n in range(7)]
RIGHTS = list(admin_views.NEEDED_RIGHTS)

Drawn = Callable[[Look], Rendered]


def pages() -> Iterator[tuple[str, Drawn]]:
    yield "welcome", lambda look: views.welcome(look, False)
    yield "welcome back", lambda look: views.welcome(look, True)
    for page in (views.ready, views.help_page, views.choose_language, views.choose_kind):
        yield page.__name__, page
    for kind in PROFILE.request_types:
        yield f"describe {kind.key}", lambda look, key=kind.key: views.describe(look, key, 2**31)
    yield "which", lambda look: views.which_request(look, 2**62, [(2**62, "PD-1", WILD)])
    yield from cloud_pages()
    yield "placed", lambda look: views.placed(look, "PD-1")
    yield "no requests", lambda look: views.my_requests(look, [])
    yield "rate", lambda look: views.rate(look, "PD-1", 2**62)
    yield "rated", lambda look: views.rated(look, 4)
    yield "still wrong", lambda look: views.still_wrong(look, "PD-1")
    yield "withdrawn", lambda look: views.withdrawn(look, "PD-1")
    yield "no polls", lambda look: views.cannot_relay(look, "poll")
    yield "no stories", lambda look: views.cannot_relay(look, "story")
    for status in STATUSES:
        facts = {**TICKET, "status": status}
        yield f"my requests {status}", lambda look, t=facts: views.my_requests(look, [t] * 8)
        yield f"own {status}", lambda look, t=facts: views.own_ticket(look, t, [("Ая", WILD)] * 3)
        yield f"card {status}", lambda look, t=facts: card_views.card(look, t)
    for notices, who in ((views.NOTICES, "customer"), (team_views.NOTICES, "team")):
        for name, draw in notices.items():
            if name in OF_ACTIONS[who]:
                continue
            facts = MOVED if name == "moved" else FACTS
            yield f"{who} {name}", lambda look, d=draw, f=facts: d(look, f)
    yield "mail wanted", lambda look: render(mail_views.wanted(look, WILD))
    yield "mail", lambda look: mail_views.mail(look, MAIL, 0)
    big = {**MAIL, "text": "", "mail": {**MAIL["mail"], "too_big": True}}
    yield "big mail", lambda look: mail_views.mail(look, big, 0)
    yield "empty mail", lambda look: mail_views.mail(look, {**MAIL, "text": ""}, 0)
    yield "queues", lambda look: team_views.choose_queue(look, 2**62, "support")
    yield "maintenance", lambda look: maintenance_views.listing(look, [FACTS] * 5)
    yield "no maintenance", lambda look: maintenance_views.listing(look, [])
    yield "unassigned card", lambda look: card_views.card(look, {**TICKET, "assignee": None, "telegram_id": None})
    yield "board", lambda look: team_views.board(look, [TICKET] * 60, 60)
    yield "empty board", lambda look: team_views.board(look, [], 0)
    yield "digest", lambda look: team_views.digest(look, [MESSAGE] * 30)
    yield "empty digest", lambda look: team_views.digest(look, [])
    yield "added", lambda look: admin_views.added(look, RIGHTS)
    yield "connected", lambda look: admin_views.connected(look, 5, RIGHTS)
    yield "named", lambda look: admin_views.named(look, WILD, "agent")
    yield "named lead", lambda look: admin_views.named(look, WILD, "lead")
    yield "removed", lambda look: admin_views.removed(look, WILD, True)
    yield "kept as note", admin_views.kept_as_note
    yield "not removed", lambda look: admin_views.removed(look, WILD, False)
    yield "agents", lambda look: admin_views.agents(look, [(AGENT, OFF)])
    yield "no agents", lambda look: admin_views.agents(look, [])
    yield "no emergency", lambda look: emergency_views.state(look, None)
    yield "emergency over", lambda look: team_views.NOTICES["emergency_over"](look, {**FACTS, "name": None})
    yield "nobody on duty", lambda look: duty_views.on_duty(look, [(AGENT, OFF)])
    yield "on duty", lambda look: duty_views.on_duty(look, [(AGENT, SHIFTS), (AGENT, LATER)])
    yield "week", lambda look: duty_views.week(look, WEEK, [(AGENT, SHIFTS), (AGENT, ON)], {7: [(NOW, DUE)]})
    yield "shifts", lambda look: duty_views.shifts(look, "Ерлан", SHIFTS)
    yield "no shifts", lambda look: duty_views.shifts(look, WILD, OFF)
    yield "swapped", lambda look: duty_views.swapped(look, AGENT, AGENT, [(NOW, DUE)], 2**62)
    yield "refused", lambda look: duty_views.refused(look, AGENT, AGENT)
    yield "away", lambda look: duty_views.left(look, WILD, None, 0)
    yield "away until", lambda look: duty_views.left(look, WILD, DUE, 5)
    for name, duty in (("on", ON), ("off", OFF), ("later", LATER)):
        yield f"back {name}", lambda look, d=duty: duty_views.back(look, WILD, d)
    yield from _trials()
    yield from _of_the_cloud()
    for refusal in _refusals():
        yield f"refusal {refusal!r}", lambda look, e=refusal: admin_views.refusal(look, e)


def _trials() -> Iterator[tuple[str, Drawn]]:
    assert PROFILE.trial is not None
    yield "trial name", lambda look: trial_views.name(look, 2**62)
    yield "new trial", lambda look: trial_views.new_trial(look, WILD, "+77011234567", 2**62)
    yield "trial sent", lambda look: trial_views.sent(look, "PD-1")
    for verified in (True, False):
        yield (
            f"trial asked {verified}",
            lambda look, v=verified: team_views.NOTICES["trial_asked"](look, {**FACTS, "verified": v}),
        )
    against = [(what, "PD-1") for what in ("customer", "person", "organization", "phone", "domain")]
    for state in ("asked", "granted", "opened", "running", "paid", "closed", "refused"):
        facts = {**FACTS, "state": state, "decided_by_name": WILD}
        yield f"trial {state}", lambda look, f=facts: trial_views.state(look, 2**62, f, [], True)
        yield f"trial {state} against", lambda look, f=facts: trial_views.state(look, 2**62, f, against, False)
    yield "trial not eligible", lambda look: trial_views.not_eligible(look, against)
    yield "never seen", lambda look: team_views.NOTICES["trials_unseen"](look, {**FACTS, "seen_at": None})
    yield "no billing", lambda look: team_views.NOTICES["trial_paid"](look, {**FACTS, "billing": None})
    for kind, what in trial_views.refusals(texts("en")):
        error = getattr(errors, kind)(what=what)
        yield f"trial refusal {kind} {what}", lambda look, e=error: admin_views.refusal(look, e)


def _of_the_cloud() -> Iterator[tuple[str, Drawn]]:
    for kind in get_args(Kind):
        facts = {**ACTION, "what": kind, "parameters": PARAMETERS.get(kind, {})}
        for notices, who in ((views.NOTICES, "customer"), (team_views.NOTICES, "team")):
            for name in OF_ACTIONS[who]:
                yield f"{who} {name} {kind}", lambda look, d=notices[name], f=facts: d(look, f)
        for verdict in ("approve", "refuse", "done", "notdone", "again"):
            yield f"{verdict} {kind}", lambda look, f=facts, v=verdict: cloud_notices.decided(look, f, v, WILD, WILD)
    facts = {**ACTION, "what": "reboot"}
    keyboard = cloud_buttons.refusal(texts("ru"), 2**62)
    yield "refusing", lambda look: cloud_notices.refusing(look, facts, keyboard)
    yield "asked again", lambda look: cloud_notices.asked_again(look, {**facts, "asks": False})
    yield "planned without buttons", lambda look: team_views.NOTICES["action_planned"](look, {**facts, "asks": False})
    yield "local secret", lambda look: views.NOTICES["secret_ready"](look, {**facts, "url": "http://127.0.0.1:8/s/a"})
    links = {**facts, "what": "link", "parameters": PARAMETERS["link"], "reason": "read_back"}
    for active in (True, False):
        seen = {"link": "l", "zones": ["zone-a", "zone-b"], "networks": {}, "active": active}
        yield (
            f"link {active}",
            lambda look, f={**links, "observed": seen}: team_views.NOTICES["action_succeeded"](look, f),
        )
    quotas = {"quotas": {name: {"limit": limit, "used": 1} for name, limit in LIMITS.items()}}
    yield "quotas seen", lambda look: team_views.NOTICES["action_unknown"](look, {**facts, "observed": quotas})
    nothing = {**facts, "observed": {"server": SERVER, "entry": None}, "said": None, "mention": []}
    yield "nothing in the log", lambda look: team_views.NOTICES["action_unknown"](look, nothing)
    for found in ([], [VM] * 50, [VM, {**VM, "project_id": "p-2"}]):
        yield f"{len(found)} machines", lambda look, f=found: hands_views.machines(look, 2**62, f)
    yield "machine", lambda look: hands_views.machine(look, 2**62, VM)
    yield "new machine", lambda look: hands_views.machine(look, 2**62, {**VM, "log": None, "swept_at": None})
    both = {name: (limit, 1) for name, limit in LIMITS.items()}
    yield "quotas", lambda look: hands_views.quotas(look, [(WILD, both)] * 20)
    yield "no quotas", lambda look: hands_views.quotas(look, [("ab", {})])
    yield "logins", lambda look: hands_views.logins(look, [WILD] * 90)
    yield "no logins", lambda look: hands_views.logins(look, [])
    yield "zones", lambda look: hands_views.zones(look, {f"zone-{n}": n % 2 == 0 for n in range(90)}, ["ab", "cd"])
    yield "no zones", lambda look: hands_views.zones(look, {}, ["ab"])
    yield "planned", lambda look: render(hands_views.planned(look, "stop", WILD))
    yield "rights", lambda look: hands_views.rights(look, WILD, ["request", "power", "money"])
    yield "own rights", lambda look: hands_views.rights_changed(look, WILD, [], True)
    yield "unusual rights", lambda look: admin_views.agents(look, [(AGENT, ON)])
    yield "help of engineers", menu.help_of_engineers
    for status in STATUSES:
        yield (
            f"card with a cloud {status}",
            lambda look, s=status: card_views.card(look, {**TICKET, "status": s, "cloud": CLOUD}),
        )
    gone = {**CLOUD, "machine": {**VM, "deleted_at": NOW}, "more": 0, "problem": None, "actions": [], "cabinets": []}
    yield "card with a deleted machine", lambda look: card_views.card(look, {**TICKET, "cloud": gone})
    nothing_yet = {**gone, "machine": None, "problem": "no connection", "seen_at": None}
    yield "card with nothing seen", lambda look: card_views.card(look, {**TICKET, "cloud": nothing_yet})


def _refusals() -> list[errors.DeskError]:
    kinds = [errors.DeskError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    found = [kind() for kind in kinds if kind is not errors.ProfileError]
    words = ("agent", "delete", "empty", "reason", "type", "priority", "emergency", "queue", "maintenance")
    of_duty = ("duty", "duty_add", "duty_swap", "no_shift", "until")
    found += [errors.WrongInput(what=what) for what in (*words, *of_duty)]
    found += [errors.NotAllowed(what="lead"), errors.NotFound(what="maintenance")]
    found += [errors.WrongInput(what=what) for what in ("quota", "not_more", "link", "rights", "refusal")]
    found += [errors.WrongInput(what="cabinet", names=[WILD] * 2), errors.WrongPlace(what="chat")]
    needed = ("request", "power", "money", "own_plan", "approve", "contact", "reader")
    found += [errors.NotAllowed(what=what) for what in needed]
    found += [errors.NotFound(what=what) for what in ("action", "cabinet", "vm", "login", "zone")]
    found += [errors.NoCloud(what=what) for what in ("desk", "person", "organization")]
    found.append(errors.UnderWay(title=WILD, action=5, kind="reboot", state="running", reference="PD-1"))
    found.append(errors.UnderWay(title=WILD, action=None, kind=None, state=None, reference=None))
    found += [errors.OverCeiling(most={"vcpus": 40, "ram": 65536}), errors.Expired(title=WILD)]
    found += [
        errors.WrongStatus(what="action", state=state, name=name)
        for state in ("approved", "refused", "changed")
        for name in (WILD, None)
    ]
    return [*found, errors.NotAllowed(what="admin"), errors.WrongPlace(what="forum")]


PAGES = dict(pages())


def cut_out(text: str, entity: dict[str, Any]) -> str:
    raw = text.encode("utf-16-le")
    return raw[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_sent(page: str, language: str) -> None:
    shown = PAGES[page](Look(PROFILE, language, NOW))
    assert shown.text.strip()
    assert utf16(shown.text) <= TEXT_LIMIT
    for entity in shown.entities:
        assert entity["length"] > 0
        assert entity["offset"] + entity["length"] <= utf16(shown.text)
        assert cut_out(shown.text, entity).strip()
    params = shown.params()
    assert "parse_mode" not in params
    assert params["text"] == shown.text


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_page_differs_between_the_languages(page: str) -> None:
    drawn = [PAGES[page](Look(PROFILE, language, NOW)).text for language in LANGUAGES]
    assert len(set(drawn)) == len(LANGUAGES), drawn


def test_what_people_wrote_is_shown_as_they_wrote_it() -> None:
    for language in LANGUAGES:
        look = Look(PROFILE, language, NOW)
        shown = card_views.card(look, TICKET)
        assert shown.text.count(WILD) == 4
        title = next(e for e in shown.entities if e["type"] == "bold")
        assert cut_out(shown.text, title) == f"PD-1042 · {WILD}"
        mention = next(e for e in shown.entities if e["type"] == "text_mention")
        assert cut_out(shown.text, mention) == WILD
        assert mention["user"]["id"] == 2**52


def test_a_warning_mentions_each_engineer_by_id() -> None:
    shown = team_views.NOTICES["warned"](Look(PROFILE, "ru", NOW), FACTS)
    mentions = [e for e in shown.entities if e["type"] == "text_mention"]
    assert [(cut_out(shown.text, m), m["user"]["id"]) for m in mentions] == [(WILD, 5), ("Ерлан", 6)]
    assert "80" in shown.text
    assert "14:10" in shown.text


def test_what_closed_by_itself_can_be_rated_as_well() -> None:
    shown = views.NOTICES["lapsed"](Look(PROFILE, "kk", NOW), FACTS)
    assert shown.keyboard == keyboards.stars(2**62)


def test_a_merged_topic_leads_to_the_other() -> None:
    for notice in ("merged_into", "merged_from"):
        shown = team_views.NOTICES[notice](Look(PROFILE, "ru", NOW), {**FACTS, "chat": -1001234567890, "thread": 77})
        [link] = shown.entities
        assert (link["type"], link["url"]) == ("text_link", "https://t.me/c/1234567890/77")
        assert cut_out(shown.text, link) == f"PD-1042 · {WILD}"
        assert team_views.NOTICES[notice](Look(PROFILE, "ru", NOW), {**FACTS, "thread": None}).entities == []


def test_the_acknowledgement_names_the_reference_and_the_local_time() -> None:
    shown = [views.NOTICES["acknowledged"](Look(PROFILE, language, NOW), FACTS).text for language in LANGUAGES]
    for words, place in zip(shown, ("Алматы", "Алматы", "Almaty"), strict=True):
        assert "PD-1042" in words
        assert "14:10" in words
        assert place in words


@pytest.mark.parametrize(
    ("target", "sign"),
    [
        ({"met_at": NOW, "breached_at": None, "stands": True}, "✅"),
        ({"met_at": DUE + timedelta(seconds=1), "breached_at": None, "stands": True}, "❗️"),
        ({"met_at": DUE + timedelta(hours=1), "breached_at": DUE, "stands": True}, "❗️"),
        ({"met_at": None, "breached_at": DUE, "stands": True}, "🔴"),
        ({"met_at": None, "breached_at": None, "stands": False}, "⏱"),
        ({"met_at": None, "breached_at": None, "stands": True}, "⏸"),
    ],
)
def test_the_card_says_what_became_of_a_promise(target: dict[str, Any], sign: str) -> None:
    facts = {**TICKET, "targets": [{"metric": "resolution", "due_at": DUE, **target}]}
    assert sign in card_views.card(Look(PROFILE, "ru", NOW), facts).text


def test_the_card_shows_what_is_being_done_and_stays_whole() -> None:
    """Whatever names people chose: the line that says who reads what is the last one."""
    for language in LANGUAGES:
        look = Look(PROFILE, language, NOW)
        lines = card_views.card(look, {**TICKET, "cloud": CLOUD}).text.split("\n")
        signs = [line.split(" ")[0] for line in lines]
        assert [signs.count(sign) for sign in ("📝", "⏳", "❓", "🖥", "🗒", "☁️", "🌧")] == [1, 2, 1, 1, 3, 5, 1]
        assert lines[-1] == card_views.card(look, TICKET).text.split("\n")[-1]
    running = next(line for line in lines if line.startswith("⏳ ") and "running" in line)
    assert running.startswith("⏳ Forced reboot: ")
    assert running.endswith(" – is running, since 14:00")


def test_a_success_says_since_when_how_long_and_what_was_promised() -> None:
    facts = {**ACTION, "what": "reboot", "title": "web-1"}
    shown = views.NOTICES["action_succeeded"](Look(PROFILE, "en", NOW), facts)
    assert shown.text.split("\n") == [
        "Done: web-1 runs since 14:00.",
        "PD-1042 · Forced reboot: web-1",
        "It took 1 min 34 sec; promised: 10 min.",
        "Please check whether everything works.",
    ]
    assert shown.keyboard == keyboards.solved(texts("en"), 2**62)
    unresolved = views.NOTICES["action_succeeded"](Look(PROFILE, "en", NOW), {**facts, "resolved": False})
    assert unresolved.keyboard is None


def test_a_plan_says_from_what_to_what_and_names_its_hash() -> None:
    facts = {**ACTION, "what": "quota", "title": "ab", "parameters": PARAMETERS["quota"], "asker": "Айдар"}
    lines = team_views.NOTICES["action_planned"](Look(PROFILE, "en", NOW), facts).text.split("\n")
    assert lines[0] == "📝 Quotas: ab"
    assert {"Processors: 10 → 16", "Memory: 20 GB → 32 GB", "Networks: 5", "Asked by Айдар"} < set(lines)
    assert lines[-1].endswith(" · 0123abcd")


@pytest.mark.parametrize(
    ("url", "button"),
    [
        ("https://desk.example.kz/secret/x", True),
        ("http://127.0.0.1:8080/secret/x", False),
        ("http://[::1]:8080/secret/x", False),
        ("http://localhost:8080/secret/x", False),
        ("http://desk.local/secret/x", False),
        ("http://203.0.113.5/secret/x", False),
    ],
)
def test_a_page_that_telegram_puts_on_no_button_stands_in_the_text(url: str, button: bool) -> None:
    shown = views.NOTICES["secret_ready"](Look(PROFILE, "en", NOW), {**ACTION, "url": url})
    assert (url in shown.text) is not button
    assert (url in str(shown.keyboard)) is button
    assert shown.params()["link_preview_options"] == {"is_disabled": True}


def test_a_long_board_says_how_many_more_there_are() -> None:
    assert "… и ещё 20" in team_views.board(Look(PROFILE, "ru", NOW), [{**TICKET, "subject": "ВМ"}] * 60, 60).text


def test_a_topics_name_fits() -> None:
    name = card_views.topic_name(texts("ru"), "PD-1042", "ы" * 500)
    assert name.startswith("PD-1042 · ыы")
    assert len(name) == card_views.TOPIC_NAME_LIMIT


@pytest.mark.parametrize(("language", "word"), [("ru", "[фото]"), ("kk", "[фотосурет]"), ("en", "[photo]")])
def test_what_is_no_text_is_called_in_the_readers_language(language: str, word: str) -> None:
    look, picture = Look(PROFILE, language, NOW), {**TICKET, "subject": "[photo]"}
    message = {**MESSAGE, "content": {"type": "photo", "text": "подпись"}}
    assert card_views.topic_name(look.t, "PD-1042", "[photo]") == f"PD-1042 · {word}"
    shown = [
        views.my_requests(look, [picture]).text,
        views.own_ticket(look, picture, []).text,
        str(views.which_request(look, 1, [(1, "PD-1042", "[photo]")]).keyboard),
        card_views.card(look, picture).text,
        team_views.board(look, [picture], 1).text,
        team_views.digest(look, [message]).text,
    ]
    assert [word in words for words in shown] == [True] * len(shown)
    assert f"{word} подпись" in shown[-1]


@pytest.mark.parametrize("words", ["x" * 5000, "🔥" * 4000])
def test_a_text_that_is_too_long_is_cut_to_what_telegram_takes(words: str) -> None:
    assert 0 < utf16(render(words).text) <= TEXT_LIMIT


def test_every_type_of_every_language_has_a_label() -> None:
    for language in LANGUAGES:
        labels = views.type_labels(Look(PROFILE, language, NOW).t)
        assert {kind.key for kind in PROFILE.request_types} <= set(labels)


def test_rights_are_missing_only_if_they_are_known() -> None:
    assert admin_views.missing_rights({}) == []
    assert admin_views.missing_rights({"status": "member"}) == RIGHTS
    assert admin_views.missing_rights({**dict.fromkeys(RIGHTS, True), "can_pin_messages": False}) == [
        "can_pin_messages"
    ]
