"""What may pass the door and what may not; the statements are data in allowed.sql and refused.sql."""

import threading

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.dialects.starrocks import StarRocks

import schema
from mcp_server import queries
from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard import Guard, text
from mcp_server.guard.functions import NAMES
from mcp_server.guard.nodes import NODES
from tests.mcp_server import corpus

GUARD = Guard(schema.TABLES)
QUESTION = {
    "cluster": "3f0c1a52-7a51-4a0e-9a3e-5d2b8f0e6c11",
    "severity": None,
    "limit": 50,
    "now": "2026-03-10 14:25:00",
    "since": "2026-03-09 14:00:00",
    "until": "2026-03-10 14:25:00",
    "gravity": 2,
    "step": 1,
    "series": queries.Columns(["MAX(CASE WHEN metric_name = 'up' THEN average END) AS up_avg"]),
    "metrics": ["up", "starrocks_fe_qps"],
    "pattern": "50% of 'x' \\ failed",
}


def refusal(sql: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        GUARD.admit(sql, 500)
    return caught.value


@pytest.mark.parametrize("sql", corpus.allowed())
def test_an_honest_question_passes_and_its_regenerated_text_passes_unchanged(sql: str) -> None:
    admitted = GUARD.admit(sql, 500)
    assert GUARD.admit(admitted.sql, 500) == admitted


@pytest.mark.parametrize(("rule", "sql"), corpus.refused())
def test_a_statement_that_is_more_than_a_bounded_read_is_refused_by_its_rule(rule: str, sql: str) -> None:
    assert refusal(sql).rule == rule


def test_the_two_lists_of_statements_are_long() -> None:
    assert len(corpus.allowed()) >= 150
    assert len(corpus.refused()) >= 250
    assert len(corpus.manual()) >= 100


def test_of_a_manuals_statements_at_most_one_in_twenty_is_refused() -> None:
    guard, refused = Guard(corpus.MANUAL_TABLES), []
    for sql in corpus.manual():
        try:
            admitted = guard.admit(sql, 500)
            assert guard.admit(admitted.sql, 500).sql == admitted.sql
        except Refusal as error:
            refused.append(f"{error.rule}: {sql}")
    assert len(refused) * 20 <= len(corpus.manual()), refused


@pytest.mark.parametrize("name", queries.names())
def test_every_query_of_the_door_itself_passes_the_guard(name: str) -> None:
    admitted = GUARD.admit(queries.bound(name, **QUESTION), 500)
    assert set(admitted.tables) <= set(schema.TABLES)
    assert GUARD.admit(admitted.sql, 500) == admitted


@pytest.mark.parametrize("end", ["", "\n", "\t;", " ;\r\n", ";;", "; -- done"])
def test_space_and_final_semicolons_do_not_matter(end: str) -> None:
    admitted = GUARD.admit(f"\n\tSELECT biz_id\r\nFROM byoc.clusters{end}", 500)
    assert admitted.sql == "SELECT biz_id FROM byoc.clusters LIMIT 501"


def test_the_text_to_run_carries_no_comment() -> None:
    admitted = GUARD.admit("SELECT 1 /* SET_VAR(a = 1) */ -- x\n, 2 /*! DROP */", 500)
    assert admitted.sql == "SELECT 1, 2 LIMIT 501"


def test_the_tables_read_are_named_once_with_their_database() -> None:
    sql = "WITH a AS (SELECT biz_id FROM byoc.clusters) SELECT 1 FROM a JOIN byoc.clusters c ON c.biz_id = a.biz_id"
    assert GUARD.admit(sql, 500).tables == ("byoc.clusters",)


def test_the_default_catalogue_is_taken_off() -> None:
    assert GUARD.admit("SELECT biz_id FROM default_catalog.byoc.clusters", 5).sql.endswith("FROM byoc.clusters LIMIT 6")


@pytest.mark.parametrize(
    ("own", "given"),
    [("", 501), ("LIMIT 3", 3), ("LIMIT 500", 500), ("LIMIT 501", 501), ("LIMIT 999999999", 501), ("LIMIT 0", 0)],
)
def test_a_result_is_limited_to_one_row_more_than_shown(own: str, given: int) -> None:
    assert GUARD.admit(f"SELECT biz_id FROM byoc.clusters {own}", 500).sql.endswith(f"LIMIT {given}")


def test_a_set_operation_is_limited_as_a_whole() -> None:
    sql = "SELECT biz_id FROM byoc.clusters UNION ALL SELECT biz_id FROM byoc.accounts"
    assert GUARD.admit(sql, 10).sql == f"{sql} LIMIT 11"


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1b", "\x7f", "\u200b", "\u202e", "\u2066", "\ufeff", "\ud800"]
)
def test_a_hidden_character_is_refused(character: str) -> None:
    error = refusal(f"SELECT 'a{character}b'")
    assert error.rule == "characters"
    assert error.text().isprintable()


def test_a_text_over_16_kb_is_refused_before_it_is_parsed() -> None:
    assert refusal("SELECT " + "(" * 20_000).rule == "size"


COSTLY = {
    "elements": "SELECT biz_id FROM byoc.clusters WHERE biz_id IN (" + ",".join("1" * 7_000) + ")",
    "columns": "SELECT " + ",".join("a" * 4_000) + " FROM byoc.clusters",
    "sums": "SELECT 1" + "+1" * 5_000,
    "unions": "SELECT 1" + " UNION SELECT 1" * 1_000,
    "dots": "SELECT a" + ".a" * 5_000,
    "commas": "SELECT 1 FROM byoc.clusters" + ", UNNEST([1]) t" * 400,
    "parentheses": "SELECT " + "(" * 4_000 + "1" + ")" * 4_000,
    "calls": "SELECT " + "ABS(" * 500 + "1" + ")" * 500,
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 100 + "byoc.clusters" + ") t" * 100,
    "clauses": "WITH a AS (" * 100 + "SELECT 1" + ") SELECT * FROM a" * 100,
    "cases": "SELECT " + "CASE WHEN TRUE THEN " * 200 + "1" + " END" * 200,
    "arrays": "SELECT " + "[" * 100 + "1" + "]" * 100,
    "subscripts": "SELECT a" + "[1]" * 1_000 + " FROM byoc.clusters",
    "hidden": "SELECT a" + "/* [ */[1]" * 200 + " FROM byoc.clusters",
    "unclosed": "SELECT " + "f(" * 400,
}


@pytest.mark.parametrize("sql", COSTLY.values(), ids=COSTLY)
def test_a_text_that_would_cost_the_parser_much_is_refused_before_it_is_parsed(
    sql: str,
) -> None:
    with pytest.raises(Refusal) as caught:
        text.refuse_costly(sql)
    assert caught.value.rule in {"depth", "size"}
    assert refusal(sql).rule == caught.value.rule


@pytest.mark.parametrize("inside", ["'{}'", '"{}"', "`{}`", "/*{}*/ 1", "1 --{}\n"])
def test_brackets_in_texts_names_and_comments_do_not_count_as_nesting(inside: str) -> None:
    text.refuse_costly("SELECT " + inside.format("([" * 300) + ", " + inside.format("((" * 200))


def test_comparisons_do_not_count_as_nesting() -> None:
    GUARD.admit("SELECT biz_id FROM byoc.clusters WHERE " + " AND ".join(["created_at < NOW()"] * 100), 5)


@pytest.mark.parametrize("sql", ["SELECT " + "(" * 250 + "1" + ")" * 250, "SELECT " + "NOT " * 2_000 + "TRUE"])
def test_deep_nesting_is_a_refusal_and_no_crash(sql: str) -> None:
    assert refusal(sql).rule == "depth"


CHAINS = {
    "not": "SELECT " + "NOT " * 2_400 + "TRUE",
    "minus": "SELECT " + "- " * 2_400 + "1",
    "from": "FROM " * 2_400 + "byoc.clusters",
    "joins": "SELECT 1 FROM byoc.clusters " + "JOIN byoc.clusters " * 400 + "ON 1 = 1 " * 400,
    "intervals": "SELECT " + "INTERVAL " * 1_500 + "1 DAY",
    "arrays": "SELECT CAST(1 AS " + "ARRAY<" * 1_200 + "INT" + ">" * 1_200 + ")",
    "dots": "SELECT a" + ".b" * 1_200 + " FROM byoc.clusters",
    "lambdas": "SELECT ARRAY_MAP(" + "x -> " * 1_100 + "1, [1])",
    "short calls": "SELECT " + "ABS(" * 48 + "1" + ")" * 48,
    "short cases": "SELECT " + "CASE WHEN TRUE THEN " * 24 + "1" + " END" * 24,
    "sums": "SELECT " + "1 + " * 1_200 + "1",
    "signs": "SELECT " + "~" * 500 + "1",
}


@pytest.mark.parametrize("sql", CHAINS.values(), ids=CHAINS)
def test_no_chain_of_words_exhausts_the_stack_of_a_small_thread(sql: str) -> None:
    verdicts: list[str] = []

    def judge() -> None:
        try:
            verdicts.append(GUARD.admit(sql, 5).sql)
        except Refusal as error:
            verdicts.append(error.rule)

    before = threading.stack_size(2 * 1024 * 1024)
    try:
        thread = threading.Thread(target=judge)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert verdicts


def test_a_statement_of_too_many_parts_is_refused() -> None:
    joins = " JOIN byoc.clusters b ON a.biz_id = b.biz_id" * 220
    assert refusal(f"SELECT 1 FROM byoc.clusters a{joins}").rule == "size"


async def test_a_long_text_is_judged_like_a_short_one() -> None:
    names = ", ".join(f"'{number:036}'" for number in range(200))
    sql = f"SELECT cluster_name FROM byoc.clusters WHERE biz_id IN ({names})"
    assert await GUARD.admit_async(sql, 500) == GUARD.admit(sql, 500)
    with pytest.raises(Refusal):
        await GUARD.admit_async(f"DELETE FROM byoc.clusters WHERE biz_id IN ({names})", 500)


def test_a_text_seen_before_is_not_judged_again_for_the_same_number_of_rows() -> None:
    sql = "SELECT biz_id FROM byoc.clusters WHERE cluster_name = 'seen before'"
    assert GUARD.admit(sql, 5) is GUARD.admit(sql, 5)
    assert GUARD.admit(sql, 6).sql.endswith("LIMIT 7")


def test_a_broadcast_hint_is_answered_with_the_allowed_form() -> None:
    error = refusal("SELECT a.biz_id FROM byoc.clusters a JOIN [broadcast] byoc.accounts b ON a.account_id = b.biz_id")
    assert error.code is Code.READ_ONLY
    assert "drop the brackets" in error.text()


def test_a_misspelt_table_is_answered_with_the_nearest_one() -> None:
    error = refusal("SELECT biz_id FROM byoc.cluster")
    assert error.code is Code.UNKNOWN_TABLE
    assert "byoc.clusters" in error.near
    assert refusal("SELECT biz_id FROM clusters").near == ("byoc.clusters",)


def test_a_misspelt_function_is_answered_with_the_nearest_one() -> None:
    assert "percentile_approx" in refusal("SELECT percentile_aprox(1, 0.5)").near


def test_a_syntax_error_names_its_place_and_nothing_of_the_parser() -> None:
    error = refusal("SELECT biz_id FROM byoc.clusters WHERE biz_id = = 1")
    assert error.code is Code.SYNTAX
    assert "line 1" in error.part
    assert "sqlglot" not in refusal("SELECT biz_id FROM byoc.clusters WHERE MATCH 'x'").text()
    assert "one string" in refusal("SELECT biz_id FROM byoc.clusters WHERE biz_id MATCH 'x' 'y'").text()


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ("DATE_TRUNC('DAY', created_at)", "DATE_TRUNC('day', created_at)"),
        ("date_trunc('hour', created_at)", "DATE_TRUNC('hour', created_at)"),
        ("DATE_DIFF('HOUR', created_at, NOW())", "DATE_DIFF('hour', created_at, NOW())"),
        ("DATE_SUB(NOW(), INTERVAL 7 DAY)", "DATE_SUB(NOW(), INTERVAL 7 DAY)"),
        ("created_at + INTERVAL 2 HOUR", "created_at + INTERVAL 2 HOUR"),
        ("REGEXP_EXTRACT(cluster_name, '(a)(b)', 2)", "REGEXP_EXTRACT(cluster_name, '(a)(b)', 2)"),
    ],
)
def test_regenerating_keeps_what_the_server_reads_letter_by_letter(asked: str, run: str) -> None:
    assert GUARD.admit(f"SELECT {asked} FROM byoc.clusters", 5).sql == f"SELECT {run} FROM byoc.clusters LIMIT 6"


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_literal_reaches_the_warehouse_as_it_was_meant(value: str) -> None:
    sql = queries.bound("cluster_logs", cluster="c", since="s", until="u", gravity=0, limit=5, pattern=value)
    tree = sqlglot.parse_one(GUARD.admit(sql, 5).sql, dialect="starrocks")
    literals = {literal.name for literal in tree.find_all(exp.Literal) if literal.is_string}
    assert literals == {"FATAL", "ERROR", "WARN", "WARNING", "INFO", "c", "s", "u", value, ""}


CALLS = sorted({name.lower() for name in StarRocks.parser_class.FUNCTIONS} | NAMES)
ARGUMENTS = (
    "",
    "biz_id",
    "*",
    "1",
    "'x', 2",
    "'day', created_at",
    "biz_id, 'x', 3, 4, 5",
    "DISTINCT biz_id",
    "(SELECT 1)",
)


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_no_call_of_any_function_makes_the_guard_stumble(arguments: str) -> None:
    verdicts = {True: 0, False: 0}
    for name in CALLS:
        try:
            admitted = GUARD.admit(f"SELECT {name}({arguments}) FROM byoc.clusters", 5)
            assert admitted.tables == ("byoc.clusters",)
            verdicts[True] += 1
        except Refusal as error:
            assert error.rule
            verdicts[False] += 1
    assert min(verdicts.values()) > 50


FRAGMENTS = st.sampled_from(
    [sql for _, sql in corpus.refused()]
    + corpus.allowed()
    + [
        "UNION ALL",
        "(",
        ")",
        ",",
        ";",
        "--",
        "#",
        "/*",
        "*/",
        "/*+ SET_VAR(a=1) */",
        "'",
        '"',
        "`",
        "\\",
        "INTO OUTFILE '/x'",
    ]
    + [
        "FROM mysql.user",
        "JOIN byoc.accounts ON TRUE",
        "LIMIT 5",
        "sleep(9)",
        "WHERE",
        "SELECT",
        "WITH a AS",
        "FOR UPDATE",
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(FRAGMENTS, min_size=1, max_size=5).map(" ".join)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_refused_or_becomes_a_read_of_listed_parts(text: str) -> None:
    try:
        admitted = GUARD.admit(text, 500)
    except Refusal as error:
        assert error.rule
        assert error.text().isprintable()
        return
    assert GUARD.admit(admitted.sql, 500) == admitted
    if admitted.sql.startswith(("SHOW ", "DESC ")):
        assert ";" not in admitted.sql
        return
    (tree,) = GRAMMAR.parse(admitted.sql.removeprefix("EXPLAIN "))
    assert isinstance(tree, exp.Query)
    for node in tree.walk():
        assert type(node) in NODES or (isinstance(node, exp.Anonymous) and node.name.lower() in NAMES)
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    read = {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db or table.name not in ctes}
    assert read <= set(schema.TABLES)
    assert tree.args["limit"] is not None
