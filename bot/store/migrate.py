"""Brings the tables up to date with Alembic, inside the process and inside one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.errors import SettingsError

VERSION_TABLE = "starwatch_version"
"""Not Alembic's usual name: the database may be shared with a program that uses that one."""
_UNVERSIONED = "0001"
"""The revision of a database whose tables were made before revisions were written down."""
_LOCK = 7_239_451_086
"""Any number, the same in every replica: who holds this Postgres lock migrates, the others wait and find it done."""


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty or an unversioned one."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def is_newest(connection: Connection) -> bool:
    """Whether nothing is to be done. Reads only.

    Raises SettingsError when the database is at a revision that this version does not know.
    """
    revision = current(connection)
    script = ScriptDirectory.from_config(_config(connection))
    known = {step.revision for step in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise SettingsError(
            f"STARWATCH_DATABASE_URL: the database is at revision {revision[:64]!r}, unknown to this Starwatch; "
            "start the newer Starwatch that made it, or restore the backup from before"
        )
    return revision == script.get_current_head()


def upgrade(connection: Connection) -> str:
    """Run what is missing, in the caller's transaction, and give back the revision reached."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver would run DDL outside of any transaction
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    if not is_newest(connection):
        config = _config(connection)
        if current(connection) is None and inspect(connection).has_table("sessions"):
            command.stamp(config, _UNVERSIONED)
        command.upgrade(config, "head")
    return str(current(connection))
