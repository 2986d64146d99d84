"""What is read out of a thread's history, whoever wrote it."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.messages import Message, question, user_text
from agent.rules_only import history
from agent.rules_only.envelope import Failure, Sheet
from agent.session import CLEARED
from tests.agent.rules_only.scripted import rows

LISTED = """Worst first:

| Cluster | Id | Why |
| --- | --- | --- |
| prod\\|a | 0f3a91c2 | disk |
| prod-b-02 | `5e6f7a8b` | heap |
"""


def said(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def called(call_id: str, name: str, **arguments: Any) -> Message:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": call_id, "name": name, "input": arguments}]}


def gave(call_id: str, content: Any, **more: Any) -> Message:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call_id, "content": content, **more}]}


def test_a_turn_holds_its_question_calls_and_answer() -> None:
    text = rows("severity", ("Critical",)).text
    messages = [user_text("open issues"), called("t1", "query_open_issues", limit=50), gave("t1", text), said("One.")]
    (turn,) = history.turns(messages)
    outcome = turn.outcomes[history.key("query_open_issues", {"limit": 50})]
    assert (turn.question, turn.answer) == ("open issues", "One.")
    assert isinstance(outcome, Sheet) and outcome.first.text("severity") == "Critical"


def test_the_mark_of_when_a_question_was_asked_is_no_part_of_it() -> None:
    (turn,) = history.turns([question("how is the fleet?", datetime(2026, 3, 1, 3, 0, tzinfo=UTC))])
    assert turn.question == "how is the fleet?"


def test_results_in_blocks_and_in_one_text_are_read_alike() -> None:
    text = rows("severity", ("Critical",)).text
    for content in (text, [{"type": "text", "text": text}]):
        (turn,) = history.turns([user_text("q"), called("t1", "x"), gave("t1", content)])
        assert isinstance(turn.outcomes[history.key("x", {})], Sheet)


def test_the_order_of_arguments_does_not_make_another_call() -> None:
    assert history.key("x", {"a": 1, "b": 2}) == history.key("x", {"b": 2, "a": 1})
    assert history.key("x", {"a": 1}) != history.key("x", {"a": 2})


def test_an_error_and_a_removed_result_are_failures() -> None:
    messages = [user_text("q"), called("t1", "x"), gave("t1", "TIMEOUT: too slow", is_error=True)]
    (turn,) = history.turns(messages)
    assert turn.outcomes[history.key("x", {})] == Failure("timeout", ("too slow",))
    (turn,) = history.turns([user_text("q"), called("t1", "x"), gave("t1", CLEARED)])
    assert isinstance(turn.outcomes[history.key("x", {})], Failure)


def test_a_result_without_its_call_is_left_out() -> None:
    (turn,) = history.turns([user_text("q"), gave("t9", "columns: a:INT\na\n1\n-- 1 row")])
    assert turn.outcomes == {}


def test_the_rows_of_an_answers_table_are_remembered_by_id() -> None:
    thread = history.context(history.turns([user_text("worst clusters"), said(LISTED)]))
    assert thread.listed == ("0f3a91c2", "5e6f7a8b")


def test_a_table_of_alerts_lists_no_clusters() -> None:
    alerts = "| Alert | State |\n| --- | --- |\n| CompactionScore | firing |"
    messages = [user_text("worst clusters"), said(LISTED), user_text("alerts of prod-b-02"), said(alerts)]
    assert history.context(history.turns(messages)).listed == ("0f3a91c2", "5e6f7a8b")


def test_a_list_stays_known_through_an_answer_without_one() -> None:
    messages = [user_text("worst clusters"), said(LISTED), user_text("help"), said("I answer these questions.")]
    assert history.context(history.turns(messages)).listed == ("0f3a91c2", "5e6f7a8b")


def test_the_clusters_of_a_threads_calls_are_remembered_newest_first() -> None:
    messages = [
        user_text("something only a model understands"),
        called("t1", "query_cluster_info", cluster="Prod-X-1"),
        gave("t1", rows("cluster_id").text),
        said("Fine."),
        user_text("how is prod-y-2?"),
        said("Fine too."),
    ]
    assert history.context(history.turns(messages)).clusters == ("prod-y-2", "prod-x-1")


def test_a_long_thread_is_remembered_by_its_last_turns() -> None:
    messages = [message for number in range(40) for message in (user_text(f"how is prod-a-{number}?"), said("Fine."))]
    thread = history.context(history.turns(messages))
    assert thread.clusters[0] == "prod-a-39" and len(thread.clusters) == 8


@given(st.lists(st.one_of(st.builds(user_text, st.text()), st.builds(said, st.text())), max_size=6))
def test_any_texts_make_turns_and_a_context(messages: list[Message]) -> None:
    found = history.turns(messages)
    assert len(found) == sum(message["role"] == "user" for message in messages)
    assert len(history.context(found).clusters) <= 8
