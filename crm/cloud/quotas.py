"""What a cabinet may have and uses, and what the whole cloud has, as the mirror saw it last."""

from collections.abc import Mapping

from crm.cloud import limits
from crm.cloud.models import CloudState
from crm.cloud.rules import CloudRules, Resource
from crm.db import Session


async def of_project(session: Session, desk: str, project_id: str | None) -> dict[str, tuple[int, int]]:
    """Resource → (allowed, used); -1 allowed is no limit."""
    found = await session.rows(
        "select resource, allowed, used from cloud_quota where desk = $1 and project_id = $2", desk, project_id
    )
    return {row["resource"]: (row["allowed"], row["used"]) for row in found}


async def allowed(session: Session, desk: str, project_id: str | None) -> dict[str, int]:
    return {resource: limit for resource, (limit, _) in (await of_project(session, desk, project_id)).items()}


async def capacity(session: Session, desk: str) -> dict[str, tuple[int, int]]:
    """Resource → (total, used), of those that the cloud counts."""
    state = await session.get(CloudState, desk)
    return {resource: (total, used) for resource, (total, used) in (state.capacity if state else {}).items()}


async def raised(
    session: Session, desk: str, rules: CloudRules, project_id: str, wanted: Mapping[Resource, int]
) -> dict[Resource, int]:
    """What of it is a change; raises as `limits.check`."""
    return limits.check(rules, await of_project(session, desk, project_id), await capacity(session, desk), wanted)
