"""`starwatch doctor`: a line for each part, exit code 1 only when something is wrong."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from bot.lark.service import WELCOME
from bot.store import Payer, Usage, open_store
from bot.store.outbox import Outbox
from bot.turns.stored import StoredInbox
from handlers.surface import Question
from sandbox.launch import Endpoint
from tests.bot.conftest import Run, RunAsync
from tests.fakes.lark import APP, SECRET, FakeLark

PARTS = (
    *("own database", "turns", "outbox", "approvals", "spending", "warehouse", "writer account", "StarRocks version"),
    *(
        "reader's grants",
        "query timeout",
        "resource group",
        "FE settings",
        "writer's grants",
        "model",
        "Slack",
        "Lark",
        "MCP servers",
    ),
)


def checks(out: str) -> dict[str, tuple[str, str]]:
    return {check["part"]: (check["state"], check["detail"]) for check in json.loads(out)}


def test_the_stand_in_is_in_order_and_says_what_it_has_not(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("doctor", "--json", **real)
    states = {part: state for part, (state, _) in checks(out).items()}
    assert code == 0
    assert tuple(states) == PARTS
    assert {part for part, state in states.items() if state == "off"} == {
        *("approvals", "resource group", "FE settings", "model", "Slack", "Lark", "MCP servers")
    }
    assert set(states.values()) == {"ok", "off"}


def test_a_reader_that_cannot_read_everything_is_wrong(starwatch: Run, real: dict[str, str]) -> None:
    as_writer = {"STARWATCH_STARROCKS_USER": "writer", "STARWATCH_STARROCKS_PASSWORD": "writer"}
    _, out, _ = starwatch("doctor", "--json", **(real | as_writer))
    state, detail = checks(out)["reader's grants"]
    assert state == "wrong"
    assert "lacks SELECT on byoc.organizations" in detail


def test_a_wrong_password_is_named_and_the_rest_is_still_looked_at(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("doctor", "--json", **(real | {"STARWATCH_WRITER_PASSWORD": "no"}))
    found = checks(out)
    assert code == 1
    assert found["writer account"][0] == "wrong"
    assert "STARWATCH_WRITER_USER" in found["writer account"][1]
    assert found["writer's grants"][0] == "wrong"
    assert found["warehouse"][0] == found["reader's grants"][0] == "ok"


def test_without_a_warehouse_nothing_about_one_is_asked(starwatch: Run) -> None:
    code, out, _ = starwatch("doctor", "--json")
    assert code == 0
    assert tuple(checks(out)) == (
        "own database",
        "turns",
        "outbox",
        "approvals",
        "spending",
        "warehouse",
        "writer account",
        "model",
        "Slack",
        "Lark",
        "MCP servers",
    )


def test_for_people_it_is_a_table_with_a_line_for_each_part(starwatch: Run, warehouse: Endpoint) -> None:
    code, out, _ = starwatch(
        "doctor",
        STARWATCH_STARROCKS_HOST=warehouse.host,
        STARWATCH_STARROCKS_PORT="1",
        STARWATCH_STARROCKS_USER="reader",
    )
    assert code == 1
    for part in PARTS:
        assert part in out
    assert "Traceback" not in out


def test_a_message_that_nobody_takes_up_is_wrong_and_a_fresh_one_is_not(starwatch: Run, sqlite_url: str) -> None:
    async def put(minutes: int) -> None:
        then = datetime.now(UTC) - timedelta(minutes=minutes)
        async with open_store(sqlite_url, lambda: then) as store:
            await StoredInbox(store.database, lambda: then).put(Question(f"{minutes}", f"t{minutes}", "U1", "?"))

    asyncio.run(put(5))
    code, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    assert (code, checks(out)["turns"][0]) == (0, "warning")
    asyncio.run(put(50))
    code, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    state, detail = checks(out)["turns"]
    assert (code, state) == (1, "wrong")
    assert detail.startswith("1 did not move for 35 minutes, the oldest (waiting, 50)")


def test_messages_that_wait_are_told_with_the_oldest(starwatch: Run, sqlite_url: str) -> None:
    async def put(*ages: int) -> None:
        for seconds in ages:
            then = datetime.now(UTC) - timedelta(seconds=seconds)
            async with open_store(sqlite_url, lambda then=then: then) as store:
                await StoredInbox(store.database, lambda then=then: then).put(
                    Question(f"{seconds}", f"t{seconds}", "U1", "?")
                )

    _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    assert checks(out)["turns"] == ("ok", "none is stuck, no message waits")
    asyncio.run(put(5, 20))
    _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    state, detail = checks(out)["turns"]
    assert state == "ok"
    assert detail.startswith("none is stuck; 2 waiting, the oldest since ")


def test_posts_that_wait_for_their_platform_are_wrong_and_say_why(starwatch: Run, sqlite_url: str) -> None:
    async def put() -> None:
        async with open_store(sqlite_url, lambda: datetime.now(UTC)) as store:
            outbox = Outbox(store.database, lambda: datetime.now(UTC))
            await outbox.put("slack:T:C:1.1", "turn-1", "answer", {}, "Slack refused chat.postMessage: token_revoked")

    _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    assert checks(out)["outbox"] == ("ok", "nothing waits to be posted")
    asyncio.run(put())
    code, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    state, detail = checks(out)["outbox"]
    assert (code, state) == (1, "wrong")
    assert detail.startswith("1 not posted, the oldest since ")
    assert "token_revoked" in detail


def test_what_was_spent_today_is_told_and_who_is_at_a_limit(starwatch: Run, sqlite_url: str) -> None:
    async def spend() -> None:
        async with open_store(sqlite_url, lambda: datetime.now(UTC)) as store:
            payers = [Payer("user", "slack:T:U1"), Payer("workspace", "slack:T")]
            await store.usage.charge("turn-1", payers, Usage(tokens=1_200, micro_dollars=2_340_000))

    asyncio.run(spend())
    _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    assert checks(out)["spending"] == ("ok", "today 0 turns, 1,200 tokens, $2.34")
    limit = {"STARWATCH_DATABASE_URL": sqlite_url, "STARWATCH_USER_DOLLARS_PER_DAY": "2"}
    code, out, _ = starwatch("doctor", "--json", **limit)
    assert (code, checks(out)["spending"]) == (
        0,
        ("warning", "today 0 turns, 1,200 tokens, $2.34; at a limit: slack:T:U1"),
    )


def test_a_model_whose_price_nobody_knows_is_named(starwatch: Run, sqlite_url: str) -> None:
    model = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "STARWATCH_MODEL": "my-own"}
    _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url, **model)
    state, detail = checks(out)["spending"]
    assert state == "warning"
    assert "no price is known for my-own: only limits of tokens hold it (STARWATCH_PRICES)" in detail


def test_the_own_database_is_shown_with_its_revision(starwatch: Run, sqlite_url: str) -> None:
    _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=sqlite_url)
    state, detail = checks(out)["own database"]
    assert state == "ok"
    assert "starwatch.db is at revision" in detail


async def test_a_lark_app_with_all_its_scopes_is_in_order_and_without_one_it_is_named(in_thread: RunAsync) -> None:
    async with FakeLark().running() as company:
        company.scopes |= set(WELCOME)
        app = {"LARK_APP_ID": APP, "LARK_APP_SECRET": SECRET, "LARK_DOMAIN": company.domain}
        _, out, _ = await in_thread("doctor", "--json", **app)
        assert checks(out)["Lark"] == ("ok", f"bot starwatch, app {APP}")
        company.scopes -= {"contact:user.base:readonly"}
        _, out, _ = await in_thread("doctor", "--json", **app)
        assert checks(out)["Lark"][0] == "warning"
        company.scopes -= {"cardkit:card:write"}
        code, out, _ = await in_thread("doctor", "--json", **app)
        state, detail = checks(out)["Lark"]
        assert (code, state) == (1, "wrong")
        assert "cardkit:card:write (answers that grow in a card)" in detail


async def test_a_lark_app_that_is_refused_is_wrong_and_the_setting_is_named(in_thread: RunAsync) -> None:
    async with FakeLark().running() as company:
        app = {"LARK_APP_ID": APP, "LARK_APP_SECRET": "another", "LARK_DOMAIN": company.domain}
        code, out, _ = await in_thread("doctor", "--json", **app)
    state, detail = checks(out)["Lark"]
    assert (code, state) == (1, "wrong")
    assert detail.startswith("LARK_APP_SECRET")
