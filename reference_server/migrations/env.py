"""What Alembic runs each command in: the connection that it is given, in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from reference_server.models import Base

# Any number that nothing else in the database locks.
_LOCK = 7519

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
