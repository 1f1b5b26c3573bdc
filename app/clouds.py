"""The clouds of this process's desks."""

from app.settings import Settings, WrongSettings
from provider.port import Cloud


def cloud_of(settings: Settings, desk: str) -> Cloud:
    """Raises WrongSettings for a desk without one."""
    raise WrongSettings(f"{desk}: no cloud is set")
