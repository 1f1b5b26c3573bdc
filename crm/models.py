"""All tables known to the ORM, for alembic and for the test that compares them with the migrations."""

from crm.db import Base
from crm.people import models as people
from crm.sla import models as sla
from crm.tickets import models as tickets

metadata = Base.metadata

__all__ = ["metadata", "people", "sla", "tickets"]
