"""What the doctor makes of a server's own words: versions, grants, roles, groups, limits, FE settings."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot import checkup
from bot.errors import WarehouseError
from bot.grants import Names, steps
from bot.settings import Settings
from bot.warehouse import Account, Address
from sandbox.errors import StatementError
from tests.fakes.starrocks import GROUP, Answer, StarRocks, grants

SQL = [step.sql for step in steps(Names()) if step.sql.startswith("GRANT")]
READER = [sql for sql in SQL if "'starwatch'@" in sql]
WRITER = [sql for sql in SQL if "'starwatch_writer'@" in sql]
ADMIN = Settings(admin_user="root", admin_password=SecretStr("root"))


def server(reader: list[str] = READER, writer: list[str] = WRITER, **roles: Answer) -> StarRocks:
    """One whose accounts have these grants; `roles` are the grants of roles, by name."""
    more = {f"SHOW GRANTS FOR ROLE '{name}'": answer for name, answer in roles.items()}
    users = {
        "starwatch": {"SHOW GRANTS": grants(*reader), **more},
        "starwatch_writer": {"SHOW GRANTS": grants(*writer), **more},
        "root": {},
    }
    return StarRocks(users)


def place(port: int, user: str = "starwatch") -> Address:
    reader, writer = (Account(name, SecretStr(name)) for name in (user, "starwatch_writer"))
    return Address("127.0.0.1", port, reader, writer, embedded=False)


async def found(part: str, starrocks: StarRocks, settings: Settings = ADMIN) -> tuple[str, str]:
    async with starrocks.running() as port:
        return await checkup.parts(place(port), settings)[part]()


async def test_a_server_set_up_as_printed_passes_every_check() -> None:
    async with server().running() as port:
        states = {part: (await check())[0] for part, check in checkup.parts(place(port), ADMIN).items()}
    assert set(states.values()) == {"ok"}, states


@pytest.mark.parametrize(
    ("version", "state", "told"),
    [
        ("3.5.2-6d81f75", "ok", "3.5.2"),
        ("3.3.2", "ok", "leave that statement out"),
        ("3.2.11-abc", "ok", "cpu_core_limit"),
        ("2.5.18", "wrong", "3.0 or later"),
        ("4.1.0", "ok", "4.1.0"),
        ("5.0.1", "ok", "newer than 4.1"),
        ("main-nightly", "warning", "no version that Starwatch can read"),
    ],
)
async def test_the_version_is_told_with_what_is_to_be_known_of_it(version: str, state: str, told: str) -> None:
    got, detail = await found("StarRocks version", server().saying(select_current_version=[{"version": version}]))
    assert got == state
    assert told in detail


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("GRANT INSERT ON TABLE alerts.patrol_reports TO USER 'starwatch'@'%'", "INSERT on alerts.patrol_reports"),
        ("GRANT OPERATE ON SYSTEM TO USER 'starwatch'@'%'", "OPERATE on the whole system"),
        ("GRANT FILE ON SYSTEM TO USER 'starwatch'@'%'", "FILE on the whole system"),
        ("GRANT SELECT ON ALL TABLES IN ALL DATABASES TO USER 'starwatch'@'%'", "SELECT on every database"),
        ("GRANT 'cluster_admin' TO 'starwatch'@'%'", "has the role cluster_admin"),
        ("GRANT everything, beyond, words", "a grant that cannot be read"),
    ],
)
async def test_a_reader_that_could_do_more_than_read_is_a_warning(line: str, told: str) -> None:
    state, detail = await found("reader's grants", server([*READER, line]))
    assert state == "warning"
    assert told in detail
    assert "--print-grants" in detail


async def test_a_reader_that_cannot_read_a_view_is_wrong() -> None:
    state, detail = await found("reader's grants", server([sql for sql in READER if "VIEWS" not in sql]))
    assert state == "wrong"
    assert "lacks SELECT on metrics.v_customer_key_v2, metrics.metrics_hourly_view_v6" in detail


async def test_what_comes_with_roles_and_their_roles_counts_too() -> None:
    starrocks = server(
        ["GRANT ops, public TO 'starwatch'@'%'"],
        ops=grants(*READER, "GRANT deep TO ROLE ops"),
        deep=grants("GRANT DELETE ON TABLE byoc.clusters TO ROLE deep", "GRANT ops TO ROLE deep"),
        public=grants("GRANT USAGE ON CATALOG default_catalog TO ROLE public"),
    )
    state, detail = await found("reader's grants", starrocks)
    assert (state, "DELETE on byoc.clusters" in detail) == ("warning", True)
    assert "lacks" not in detail


async def test_a_role_whose_grants_stay_hidden_is_told() -> None:
    state, detail = await found("reader's grants", server([*READER, "GRANT 'sealed' TO 'starwatch'@'%'"]))
    assert state == "warning"
    assert "has the role sealed, whose grants cannot be seen" in detail


@pytest.mark.parametrize(
    ("lines", "state", "told"),
    [
        (WRITER[1:], "wrong", "lacks INSERT on alerts.patrol_reports"),
        ([*WRITER, "GRANT DELETE ON TABLE alerts.patrol_reports TO 'w'@'%'"], "warning", "DELETE on alerts.patrol"),
        ([*WRITER, "GRANT SELECT ON TABLE alerts.issues TO 'w'@'%'"], "warning", "SELECT on alerts.issues"),
        ([*WRITER, "GRANT SELECT ON TABLE alerts.patrol_reports TO 'w'@'%'"], "ok", "4 tables"),
    ],
)
async def test_the_writer_may_insert_and_read_nothing_elsewhere(lines: list[str], state: str, told: str) -> None:
    got, detail = await found("writer's grants", server(writer=lines))
    assert got == state
    assert told in detail


async def test_a_writer_that_does_read_elsewhere_is_told_whatever_its_grants_say() -> None:
    state, detail = await found("writer's grants", server().saying(select_biz_id=[{"biz_id": "c-1"}]))
    assert (state, "can read byoc.clusters" in detail) == ("warning", True)


@pytest.mark.parametrize(
    ("groups", "state", "told"),
    [
        ([GROUP], "ok", "starwatch"),
        ([], "warning", "none is for starwatch"),
        ([GROUP | {"classifiers": "(id=1, weight=1.0, user=starwatch_writer)"}], "warning", "none is for starwatch"),
        ([GROUP | {"concurrency_limit": "null"}], "warning", "has no concurrency_limit"),
        ([GROUP | {"big_query_mem_limit": "0"}, GROUP], "ok", "starwatch, starwatch"),
        (StatementError(1064, "Getting syntax error"), "wrong", "Getting syntax error"),
    ],
)
async def test_the_readers_resource_group_must_be_there_and_bounded(groups: Answer, state: str, told: str) -> None:
    starrocks = server().saying(show_resource=groups)
    if state == "wrong":
        with pytest.raises(WarehouseError, match=told):
            await found("resource group", starrocks)
        return
    got, detail = await found("resource group", starrocks)
    assert got == state
    assert told in detail


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (StatementError(1064, "Query exceeded time limit of 1 seconds"), "ok"),
        (StatementError(1064, "Unknown table function 'generate_series(INT,INT)'"), "warning"),
        ([{"count(*)": "100000000000"}], "warning"),
    ],
)
async def test_the_time_limit_is_tried_out(said: Answer, state: str) -> None:
    assert (await found("query timeout", server().saying(select_count=said)))[0] == state


async def test_a_server_that_lets_a_statement_run_on_is_wrong() -> None:
    endless = frozenset({"SELECT count(*) FROM TABLE(generate_series(1, 100000000000)) AS numbers"})
    async with replace(server(), hanging=endless).running() as port:
        state, detail = await checkup.query_timeout(place(port), patience=0.05)
    assert (state, detail) == ("wrong", "a statement ran on for 0.05 s under query_timeout = 1")


@pytest.mark.parametrize(
    ("changed", "state", "told"),
    [
        ({"admin_show_frontend_config_like_'enable": [{"Value": "false"}]}, "warning", "OUTFILE is not blacklisted"),
        ({"show_sqlblacklist": []}, "warning", "OUTFILE is not blacklisted"),
        ({"admin_show_frontend_config_like_'http": [{"Value": "3"}]}, "ok", "nothing can be carried out"),
        ({"admin_show_frontend_config_like_'http": [{"Value": "1"}]}, "warning", "http_request() may call out"),
    ],
)
async def test_doors_that_the_fe_leaves_open_are_told(changed: dict[str, Answer], state: str, told: str) -> None:
    got, detail = await found("FE settings", server().saying(**changed))
    assert got == state
    assert told in detail


async def test_without_an_administrator_the_fe_is_not_asked() -> None:
    state, detail = await found("FE settings", server(), Settings())
    assert (state, "STARWATCH_ADMIN_USER" in detail) == ("off", True)


async def test_a_refused_login_is_one_line_that_names_the_account() -> None:
    async with server().running() as port:
        with pytest.raises(WarehouseError, match=r"account 'nobody' at 127\.0\.0\.1:\d+: Access denied"):
            await checkup.version(place(port, "nobody"))
