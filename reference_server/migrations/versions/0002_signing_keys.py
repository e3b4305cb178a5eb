"""Signing keys that take over from one another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kid", sa.String(64), unique=True),
        sa.Column("algorithm", sa.String(16), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("signs_from", sa.BigInteger, nullable=False),
        sa.Column("verifies_until", sa.BigInteger),
    )


def downgrade() -> None:
    """Drop it: every token ends."""
    op.drop_table("signing_keys")
