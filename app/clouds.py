"""Which cloud a desk has hands on: `<DESK>_CLOUD` names an entry of clouds.yaml, or the address of a sandbox's.

An adapter is imported only where it is used: OpenStack's costs a second and thirty megabytes.
"""

import re
from collections.abc import Mapping, Sequence

from app.settings import Settings, WrongSettings
from provider.port import Cloud

_ADDRESS = re.compile(r"https?://")


def cloud_of(settings: Settings, desk: str) -> Cloud:
    """A cloud that somebody has to close. Raises WrongSettings for a desk without one."""
    where = settings.clouds.get(desk, "")
    if not where:
        raise WrongSettings(f"{desk.upper()}_CLOUD is empty: name an entry of clouds.yaml")
    if _ADDRESS.match(where):
        from provider.sandbox import SandboxCloud

        return SandboxCloud(where)
    from provider.openstack import OpenStackCloud

    return OpenStackCloud(where, settings.os_client_config_file or None)


def clouds(settings: Settings, desks: Sequence[str]) -> Mapping[str, Cloud]:
    """Those desks that have one."""
    return {desk: cloud_of(settings, desk) for desk in desks if settings.clouds.get(desk)}
