"""All tables known to the ORM, for alembic and for the test that compares them with the migrations."""

from crm.cloud import models as cloud
from crm.db import Base
from crm.mail import models as mail
from crm.people import models as people
from crm.sla import models as sla
from crm.tickets import models as tickets

metadata = Base.metadata

__all__ = ["cloud", "mail", "metadata", "people", "sla", "tickets"]
