"""Who may have a trial: who never used the service, once for each thing by which they are known (prodata 5.4).

What is proven claims its place as soon as a trial is asked for; a number that was only written down does so when the
trial is granted, lest a stranger lock somebody else out by writing theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.cloud.rules import TrialRules
from crm.cloud.trial_steps import mail_key
from crm.db import Session
from crm.desks import Profile
from crm.errors import HadTrial, NoCloud
from crm.people.organizations import CONTACT
from crm.tickets.status import ENDED

Claim = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why not: they are a `customer` already, or had a trial as that `person`, `organization`, `phone` or `domain`, in
    the request of that reference. It may be somebody else's, so only engineers read it."""

    what: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Applicant:
    """By what somebody is known: of `phones` those that are proven; `written`: a number that nobody has proven."""

    person_id: int
    organization_id: int | None
    organization: str | None
    mails: tuple[str, ...]
    phones: tuple[str, ...]
    written: str | None = None

    def claims(self, rules: TrialRules, *, written: bool) -> list[Claim]:
        """What a trial of theirs takes up, always in the same order, so that two who want the same do not block."""
        found = {("person", str(self.person_id))}
        found |= {("organization", str(self.organization_id))} if self.organization_id else set()
        found |= {("domain", mail_key(mail, rules.public_domains)) for mail in self.mails}
        found |= {("phone", phone) for phone in self.phones}
        found |= {("phone", self.written)} if written and self.written else set()
        return sorted(claim for claim in found if claim[0] in rules.once)


def rules_of(profile: Profile) -> TrialRules:
    """Raises NoCloud for a desk that gives no trials."""
    if profile.trial is None:
        raise NoCloud(what="trial")
    return profile.trial


_WHO = f"""
    with own as (
        select channel, address, person_id from identity where desk = $1 and person_id = $2
        union all select null, null, $2)
    select o.id, o.name, array(select address from own where channel = 'email') as mails,
           array(select address from identity where desk = $1 and person_id = $2 and channel = 'phone'
                 and verified_at is not null) as phones
    from (select 1) one left join ({CONTACT}) c on true left join organization o on o.id = c.organization_id
"""  # noqa: S608


async def applicant(
    session: Session, desk: str, person_id: int, phone: str | None = None, verified: bool = False
) -> Applicant:
    """All that is known of a person, and the number that they gave."""
    await session.flush()
    [row] = await session.rows(_WHO, desk, person_id)
    phones = {*row["phones"], *([phone] if phone and verified else [])}
    written = phone if phone not in phones else None
    return Applicant(person_id, row["id"], row["name"], tuple(row["mails"]), tuple(sorted(phones)), written)


# Theirs, or of an organization whose named persons have the same number, address or domain of mail.
_CUSTOMER = """
    select 1 from cloud_project p where p.desk = $1 and p.organization_id is not null and (
        p.organization_id = $2 or p.organization_id in (
            select c.organization_id from contact c where c.desk = $1 and c.active and (
                c.phone = any($3::text[]) or c.email = any($4::text[])
                or split_part(c.email, '@', 2) = any($5::text[])
                or split_part(c.email, '@', 2) like any($6::text[]))))
    limit 1
"""
# One that was asked for in a request that ended undecided is none.
_HAD = """
    select c.kind, k.reference from trial_claim c
    join trial t on t.id = c.trial_id join ticket k on k.id = t.ticket_id
    where c.desk = $1 and (c.kind, c.value) in (select * from unnest($2::text[], $3::text[]))
      and t.id is distinct from $4 and not (t.state = 'asked' and k.status = any($5::text[]))
    order by c.kind, c.value
"""


async def obstacles(session: Session, profile: Profile, who: Applicant, but: int | None = None) -> list[Obstacle]:
    """All that speaks against it, apart from the trial `but` itself; none if they may have one."""
    rules = rules_of(profile)
    domains = [key for key in (mail_key(mail, rules.public_domains) for mail in who.mails) if "@" not in key]
    numbers = [*who.phones, *([who.written] if who.written else [])]
    below = [f"%.{domain}" for domain in domains]
    customer = await session.rows(
        _CUSTOMER, profile.name, who.organization_id, numbers, list(who.mails), domains, below
    )
    claims = who.claims(rules, written=True)
    kinds, values = [kind for kind, _ in claims], [value for _, value in claims]
    had = await session.rows(_HAD, profile.name, kinds, values, but, sorted(ENDED))
    return [*([Obstacle("customer")] if customer else []), *(Obstacle(row["kind"], row["reference"]) for row in had)]


async def require(session: Session, profile: Profile, who: Applicant, but: int | None = None) -> None:
    """Raises HadTrial for whoever may have none."""
    if found := await obstacles(session, profile, who, but):
        raise HadTrial(what=found[0].what)


_ABANDONED = """
    with over as (
        update trial t set state = 'refused', ended_at = $5, next_at = null from ticket k
        where k.id = t.ticket_id and t.state = 'asked' and k.status = any($4::text[]) and t.id in (
            select c.trial_id from trial_claim c where c.desk = $1
            and (c.kind, c.value) in (select * from unnest($2::text[], $3::text[])))
        returning t.id)
    delete from trial_claim c using over where c.trial_id = over.id
"""
_CLAIM = """
    insert into trial_claim (desk, kind, value, trial_id)
    select $1, kind, value, $4 from unnest($2::text[], $3::text[]) as wanted (kind, value)
    on conflict do nothing
"""
_MISSED = """
    select kind from trial_claim where desk = $1 and (kind, value) in (select * from unnest($2::text[], $3::text[]))
    and trial_id <> $4 order by kind, value limit 1
"""


async def claim(session: Session, profile: Profile, claims: Sequence[Claim], trial_id: int, now: datetime) -> None:
    """Take all of it for that trial; whoever comes second waits for the first and then gets HadTrial."""
    kinds, values = [kind for kind, _ in claims], [value for _, value in claims]
    await session.flush()
    await session.rows(_ABANDONED, profile.name, kinds, values, sorted(ENDED), now)
    await session.rows(_CLAIM, profile.name, kinds, values, trial_id)
    if missed := await session.rows(_MISSED, profile.name, kinds, values, trial_id):
        raise HadTrial(what=missed[0]["kind"])


async def release(session: Session, trial_id: int) -> None:
    """A refusal uses nothing up."""
    await session.rows("delete from trial_claim where trial_id = $1", trial_id)
