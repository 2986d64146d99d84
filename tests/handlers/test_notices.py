"""What the agent says of itself, in Chinese."""

from collections.abc import Iterator

import pytest

from agent.answer import Answer
from agent.chat import BY_FLOOR, CUT, LIMITED
from agent.errors import AgentError, ModelOverloaded
from agent.loop import NO_ANSWER
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.run import MALFORMED, NOT_STORED
from agent.receipts import SIGN
from handlers.document import Note
from handlers.locale import ENGLISH, Locale
from handlers.notices import in_words, translated
from handlers.purse import Purse, Thrift, with_thrift
from handlers.report import report_document
from tests.handlers.reports import patrolled

CHINESE = Locale("zh")


def messages(kind: type[AgentError]) -> Iterator[str]:
    yield kind.user_message
    for inner in kind.__subclasses__():
        yield from messages(inner)


OURS = [
    *sorted({*messages(AgentError)}),
    BY_FLOOR,
    CUT,
    LIMITED,
    MALFORMED,
    NOT_STORED,
    NO_ANSWER,
    WarehouseUnreadable.user_message,
]


@pytest.mark.parametrize("sentence", OURS)
def test_every_sentence_of_the_agents_own_is_known(sentence: str) -> None:
    assert translated(sentence, CHINESE) != sentence
    assert translated(sentence, ENGLISH) == sentence


def test_sentences_that_stand_together_are_all_put_into_the_language() -> None:
    told = translated(f"{ModelOverloaded.user_message} {BY_FLOOR}", CHINESE)
    assert "Claude 目前不可用:它已过载" in told
    assert "固定规则" in told
    assert "again" not in told


def test_what_is_said_with_figures_keeps_them_in_the_other_language() -> None:
    told = "The newest data is from 2026-11-20 07:00 UTC; everything is said as of then. "
    told += "2 flags without evidence were left out. "
    told += f"3 of 40 figures, times and names are in no query result; {SIGN} marks them."
    assert translated(told, CHINESE) == (
        "最新的数据来自 2026-11-20 07:00 UTC,以下内容均以该时刻为准。 2 处没有证据的标记已略去。 "
        f"40 个数字、时间和名称中有 3 个不在任何查询结果中,以 {SIGN} 标出。"
    )


@pytest.mark.parametrize("thrift", ["cheaper", "rules"])
def test_a_report_tells_each_channel_in_its_language_that_it_had_to_save(thrift: Thrift) -> None:
    made = patrolled("R-1", notice=with_thrift(NOT_STORED, Purse(thrift), ENGLISH))
    told = [part.text for part in report_document(made, CHINESE).parts if isinstance(part, Note)]
    assert f"{CHINESE.say(f'thrift.{thrift}')} {translated(NOT_STORED, CHINESE)}" in told


def answer(text: str, *, failed: bool = False, notice: str = "") -> Answer:
    return Answer(text, "claude", "m", rounds=1, seconds=0.1, failed=failed, notice=notice)


def test_a_failure_and_a_notice_are_put_into_the_language() -> None:
    told = in_words(answer(ModelOverloaded.user_message, failed=True, notice=LIMITED), CHINESE)
    assert told.text.startswith("Claude 目前不可用")
    assert told.notice.startswith("本次提问")


def test_what_a_model_wrote_is_left_as_it_is() -> None:
    quoted = f"The log says: {BY_FLOOR}"
    assert in_words(answer(quoted), CHINESE).text == quoted
