"""Alembic's entry: the connection is handed over by `app.migrate`, so no address is read here."""

from alembic import context

from crm.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
