"""What each account may do, table by table."""

import pytest

from sandbox.accounts import READER, WRITER, WRITTEN_TABLES, Account
from sandbox.dialect.translate import Effect, TableName
from sandbox.errors import StatementError
from tests.sandbox.conftest import ADMIN

REPORTS = TableName("alerts", "patrol_reports")
CLUSTERS = TableName("byoc", "clusters")
VIEW = TableName("information_schema", "tables")


def allowed(account: Account, effect: Effect, table: TableName) -> bool:
    try:
        account.require(effect, table)
    except StatementError as error:
        assert error.code == 5203
        assert f"the {effect.value} privilege(s) on TABLE {table.name}" in error.message
        return False
    return True


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("table", [REPORTS, CLUSTERS, VIEW])
def test_the_reader_reads_everything_and_changes_nothing(effect: Effect, table: TableName) -> None:
    assert allowed(READER, effect, table) is (effect is Effect.SELECT)


@pytest.mark.parametrize("effect", list(Effect))
def test_the_writer_reads_and_inserts_its_own_tables(effect: Effect) -> None:
    assert allowed(WRITER, effect, REPORTS) is (effect in (Effect.SELECT, Effect.INSERT))
    assert allowed(WRITER, effect, CLUSTERS) is False
    assert allowed(WRITER, effect, VIEW) is (effect is Effect.SELECT)


@pytest.mark.parametrize("effect", list(Effect))
def test_an_administrator_may_do_everything(effect: Effect) -> None:
    assert allowed(ADMIN, effect, CLUSTERS)


def test_the_written_tables_are_the_four_of_reports_and_scores() -> None:
    assert sorted(map(str, WRITTEN_TABLES)) == [
        "alerts.agent_investigations",
        "alerts.cluster_health_scores",
        "alerts.cluster_risk_snapshots",
        "alerts.patrol_reports",
    ]


def test_a_password_is_not_in_the_text_of_an_account() -> None:
    assert "password=SecretStr('**********')" in repr(READER)


def test_privileges_are_told_in_words() -> None:
    assert READER.privileges(CLUSTERS) == ("SELECT",)
    assert WRITER.privileges(REPORTS) == ("SELECT", "INSERT")
    assert WRITER.privileges(CLUSTERS) == ()
    assert ADMIN.privileges(CLUSTERS) == ("ALL",)
