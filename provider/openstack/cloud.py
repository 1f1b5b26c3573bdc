"""The adapter: each question of the port, put to the service that knows."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from provider.openstack import accounts, compute, identity, network, quotas, survey
from provider.openstack.wire import ANSWER, WHOLE, Part, Wire
from provider.port import (
    Account,
    Act,
    Capacity,
    CloudError,
    Link,
    LogEntry,
    Opened,
    Project,
    Quota,
    Server,
    Service,
    Usage,
    User,
    Zone,
)

# Keystone's revocations have a grain of one second: a login within it may be refused with the password that is right.
GRAIN = 1.1


class OpenStackCloud:
    """`entry`: a name in `clouds_yaml` (None: where openstacksdk looks), of a user who may administer the cloud.

    `answer`: seconds that the cloud has to begin an answer; `whole`: for all requests of a call.
    """

    def __init__(
        self, entry: str, clouds_yaml: str | None = None, *, answer: float = ANSWER, whole: float = WHOLE
    ) -> None:
        self._wire = Wire(entry, clouds_yaml, answer=answer, whole=whole)

    async def services(self) -> Sequence[Service]:
        return await asyncio.gather(*(self._service(part) for part in survey.PARTS))

    async def _service(self, part: Part) -> Service:
        try:
            return await self._wire.run(survey.service, part)
        except CloudError as error:
            return survey.unwell(part, error)

    async def projects(self) -> Sequence[Project]:
        return await self._wire.run(identity.projects)

    async def users(self, project_id: str) -> Sequence[User]:
        return await self._wire.run(identity.users, project_id)

    async def servers(self, project_id: str | None = None, since: datetime | None = None) -> Sequence[Server]:
        """By pages, each bounded by itself: ten thousand servers take as long as they take."""
        found: list[Server] = []
        marker: str | None = None
        while True:
            page, marker = await self._wire.run(compute.servers_page, project_id, since, marker)
            found += page
            if marker is None:
                return found

    async def server(self, server_id: str) -> Server:
        return await self._wire.run(compute.server, server_id)

    async def log(self, server_id: str, limit: int = 5) -> Sequence[LogEntry]:
        return await self._wire.run(compute.log, server_id, limit)

    async def act(self, server_id: str, act: Act) -> str | None:
        return await self._wire.run(compute.act, server_id, act)

    async def quotas(self, project_id: str) -> Mapping[str, Quota]:
        return await self._wire.run(quotas.quotas, project_id)

    async def set_quotas(self, project_id: str, limits: Mapping[str, int]) -> None:
        await self._wire.run(quotas.set_quotas, project_id, limits)

    async def capacity(self) -> Mapping[str, Capacity]:
        return await self._wire.run(compute.capacity)

    async def zones(self) -> Sequence[Zone]:
        return await self._wire.run(compute.zones)

    async def links(self, project_id: str) -> Sequence[Link]:
        return await self._wire.run(network.links, project_id)

    async def link(self, project_id: str, name: str, zones: tuple[str, str]) -> Link:
        return await self._wire.run(network.link, project_id, name, zones)

    async def open_account(self, account: Account) -> Opened:
        return await self._wire.run(accounts.open_account, account)

    async def set_password(self, user_id: str, password: str) -> None:
        await self._wire.run(identity.set_password, user_id, password)

    async def can_log_in(self, user_id: str, password: str) -> bool:
        if await self._wire.run(identity.can_log_in, user_id, password):
            return True
        await asyncio.sleep(GRAIN)
        return await self._wire.run(identity.can_log_in, user_id, password)

    async def usage(self, project_id: str, start: datetime, end: datetime) -> Usage:
        return await self._wire.run(compute.usage, project_id, start, end)

    async def close(self) -> None:
        await self._wire.close()
