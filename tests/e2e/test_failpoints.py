"""kill -9 at every named place between receive and send, for every kind of input: nothing lost, nothing twice."""

import signal

import pytest

from crm import failpoints
from tests.e2e.crowd import Crowd
from tests.e2e.world import Case, World

INPUTS = ("new customer", "known customer", "reply", "press")
# How many rows each input sends out, so that the process dies at each of them in turn.
SENT = {"new customer": 4, "known customer": 1, "reply": 2, "press": 2}
PLACES = [
    (f"{name}:{nth}", kind)
    for kind in INPUTS
    for name in failpoints.NAMES
    # Mail and the cloud have places of their own (tests/integration/test_mail_kills.py, test_cloud_kills.py).
    if not name.startswith(("mail.", "cloud."))
    for nth in range(1, 1 + (SENT[kind] if name in ("deliver.claimed", "deliver.called") else 1))
]


async def act(world: World, crowd: Crowd, kind: str, case: Case | None) -> None:
    """One input, to a desk that will not survive it."""
    if case is None:
        await crowd.asks(await crowd.newcomer(), opens=True)
    elif kind == "known customer":
        await crowd.asks(case.customer)
    elif kind == "reply":
        await crowd.says(case)
    else:
        await crowd.takes(case)


@pytest.mark.parametrize(("place", "kind"), PLACES)
async def test_killed(world: World, place: str, kind: str) -> None:
    crowd = Crowd(world)
    first = await world.ready()
    case = None if kind == "new customer" else await crowd.case()
    # The board comes at its own pace; it would be the one to die on the way.
    await world.fetch("update outbox set due_at = now() + interval '1 hour' where kind = 'board' and state = 'queued'")
    await first.end(signal.SIGKILL)
    await world.leases_run_out()

    dying = await world.start_desk(ready=False, KEZEKSHI_FAILPOINT=place)
    await dying.wait_line("receive.polling")
    await act(world, crowd, kind, case)
    assert await dying.ended() == -signal.SIGKILL, "the place was never reached"
    await world.leases_run_out()

    await world.start_desk()
    await world.settled()
    assert await crowd.complaints() == []
    assert await world.fetch("select id from outbox where state = 'unknown'") == []
