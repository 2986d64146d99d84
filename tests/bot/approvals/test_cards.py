"""The card on both platforms: one message however much it asks for, which can be redrawn, and mentions nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.approval_card import card, whole_file
from handlers.buttons import APPROVE, DECLINE, approval
from handlers.locale import ENGLISH, Locale
from handlers.surface import Mark
from tests.bot.stages import STAGES, Stage
from tests.handlers.test_approval_card import HOSTILE, NOON, asked

MARK = Mark("turn", "approval-1", repeated=True)
MENTIONS = ["<at id=all></at>", "<!here> &lt;@U1&gt;", *HOSTILE]


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with STAGES[request.param]() as stage:
        yield stage


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_largest_card_is_one_message_and_is_redrawn_in_place(stage: Stage, language: str) -> None:
    locale = Locale("zh") if language == "zh" else ENGLISH
    calls = [{"name": "*" * 5_000}, *({"names": [f"idle_{n}_{m}" for m in range(60)]} for n in range(30))]
    waiting = asked(*calls)
    thread = stage.asked("?")
    posted = await stage.surface.post(
        thread, card(waiting, "Ann *the* <!channel>", locale), replace(MARK, repeated=False)
    )
    assert len(posted.messages) == 1
    value = approval(waiting.id, waiting.digest)
    assert [(one["action"].partition(":")[0], one["value"]) for one in stage.values()] == [
        (APPROVE, value),
        (DECLINE, value),
    ]
    decided = replace(waiting, state="approved", by="U2", name="B" * 300, decided_at=NOON + timedelta(minutes=1))
    await stage.restarted().update(posted.messages[0], card(decided, "Ann", locale), MARK)
    assert stage.values() == []
    assert stage.harm() == []


async def test_hostile_arguments_are_shown_and_mention_nobody(stage: Stage) -> None:
    for text in MENTIONS:
        thread = stage.asked("?")
        await stage.surface.post(thread, card(asked({"name": text, text: [text]}), text, ENGLISH))
    assert stage.harm() == []
    assert len(stage.seen()) == len(MENTIONS)


async def test_what_does_not_fit_is_a_file_of_both_platforms(stage: Stage) -> None:
    many = asked({"names": [f"cluster-{n}" for n in range(500)]})
    file = whole_file(many, ENGLISH)
    assert file is not None
    await stage.surface.post(stage.asked("?"), file)
    (content,) = stage.files().values()
    assert b"cluster-499" in content
