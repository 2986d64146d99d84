"""What the agent says of itself, in Chinese."""

from collections.abc import Iterator

import pytest

from agent.answer import Answer
from agent.chat import BY_FLOOR, CUT, LIMITED
from agent.errors import AgentError, ModelOverloaded
from agent.loop import NO_ANSWER
from agent.patrol.errors import WarehouseUnreadable
from handlers.locale import ENGLISH, Locale
from handlers.notices import in_words, translated

CHINESE = Locale("zh")


def messages(kind: type[AgentError]) -> Iterator[str]:
    yield kind.user_message
    for inner in kind.__subclasses__():
        yield from messages(inner)


OURS = [*sorted({*messages(AgentError)}), BY_FLOOR, CUT, LIMITED, NO_ANSWER, WarehouseUnreadable.user_message]


@pytest.mark.parametrize("sentence", OURS)
def test_every_sentence_of_the_agents_own_is_known(sentence: str) -> None:
    assert translated(sentence, CHINESE) != sentence
    assert translated(sentence, ENGLISH) == sentence


def test_sentences_that_stand_together_are_all_put_into_the_language() -> None:
    told = translated(f"{ModelOverloaded.user_message} {BY_FLOOR}", CHINESE)
    assert "Claude 目前不可用:它已过载" in told
    assert "固定规则" in told
    assert "again" not in told


def answer(text: str, *, failed: bool = False, notice: str = "") -> Answer:
    return Answer(text, "claude", "m", rounds=1, seconds=0.1, failed=failed, notice=notice)


def test_a_failure_and_a_notice_are_put_into_the_language() -> None:
    told = in_words(answer(ModelOverloaded.user_message, failed=True, notice=LIMITED), CHINESE)
    assert told.text.startswith("Claude 目前不可用")
    assert told.notice.startswith("本次提问")


def test_what_a_model_wrote_is_left_as_it_is() -> None:
    quoted = f"The log says: {BY_FLOOR}"
    assert in_words(answer(quoted), CHINESE).text == quoted
