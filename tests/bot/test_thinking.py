"""Who thinks by how much has to be saved, and what it cost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from agent.chat import BYOCAgent
from agent.errors import ModelError, ModelUnavailable
from agent.journal import UNWRITTEN, Journal
from agent.model import OnText, Reply, Request, Usage
from agent.patrol.report import PatrolReport
from agent.progress import OnProgress, Progress, RoundStarted, Spent
from agent.rules_only import RulesAnalyst
from bot.compose import thinking
from bot.prices import load_prices
from bot.settings import Settings
from bot.store import Store, open_store
from bot.thinking import Agents, Models, Patrols, metered
from handlers.locale import ENGLISH
from handlers.purse import Purse, Thrift, with_thrift
from tests.agent.doubles import FunctionTools, ScriptedModel, call, double, say
from tests.bot.store.conftest import Clock
from tests.fakes.thinking import report

SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"


class Priced(ScriptedModel):
    """Each reply takes 1,000 tokens in and 100 out; `wasted` tells of one try before the first that broke off."""

    def __init__(self, name: str, *script: Reply | ModelError, wasted: bool = False, **more: Any) -> None:
        super().__init__(*script, name=name, **more)
        self.wasted = wasted

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        if self.wasted and request.on_wasted is not None:
            self.wasted = False
            request.on_wasted(self.name, Usage(1000, 50))
        reply = await super().reply(request, on_text)
        return Reply(reply.content, reply.stop_reason, self.name, Usage(1000, 100))


@pytest.fixture
async def store(own_database: str) -> AsyncIterator[Store]:
    async with open_store(own_database, Clock()) as opened:
        yield opened


async def ignored(progress: Progress) -> None:
    """Progress nobody reads."""


def agents(store: Store, models: Models) -> Agents:
    def agent_of(thread: str, user: str, thrift: Thrift) -> BYOCAgent:
        model = models.of(thrift)
        floor = None if model is models.rules else models.rules
        return BYOCAgent(model, FunctionTools(double=double), store=store, thread=thread, floor=floor)

    return Agents(agent_of, load_prices())


def free(*script: Reply | ModelError) -> ScriptedModel:
    return ScriptedModel(*script, name="rules-only", analyst="rules-only")


async def test_an_answer_says_what_all_its_rounds_cost(store: Store) -> None:
    model = Priced(SONNET, say("hm", call("x", a=1)), say("done"))
    purse = Purse()
    answer = await agents(store, Models(model, model, free())).chat("t", "go", "U1", ignored, purse=purse)
    # twice 1,000 tokens at $2 and 100 at $10 for a million
    assert answer.dollars == 0.006
    assert purse.spent == [Spent(SONNET, Usage(1000, 100))] * 2


async def test_a_try_that_broke_off_is_paid_for_as_well(store: Store) -> None:
    model = Priced(SONNET, say("done"), wasted=True)
    answer = await agents(store, Models(model, model, free())).chat("t", "go", "U1", ignored)
    assert answer.dollars == 0.0055


async def test_what_a_model_took_before_the_floor_stood_in_is_paid_for(store: Store) -> None:
    model = Priced(SONNET, ModelUnavailable("gone"), wasted=True)
    floor = Priced("rules-only", say("by rules"), analyst="rules-only")
    answer = await agents(store, Models(model, model, floor)).chat("t", "go", "U1", ignored)
    assert (answer.analyst, answer.dollars) == ("rules-only", 0.0025)


async def test_the_cost_of_a_model_without_a_price_is_not_known(store: Store) -> None:
    model = Priced("somebody's", say("done"))
    answer = await agents(store, Models(model, model, free())).chat("t", "go", "U1", ignored)
    assert answer.dollars is None


@pytest.mark.parametrize(("thrift", "name"), [("", SONNET), ("cheaper", HAIKU), ("rules", "rules-only")])
async def test_the_purse_says_who_answers(store: Store, thrift: Thrift, name: str) -> None:
    models = Models(Priced(SONNET, say("a")), Priced(HAIKU, say("b")), Priced("rules-only", say("c")))
    answer = await agents(store, models).chat("t", "go", "U1", ignored, purse=Purse(thrift))
    assert answer.model == name


async def test_a_cheaper_model_goes_on_with_a_thread_that_another_one_began(store: Store) -> None:
    models = Models(Priced(SONNET, say("hm", call("x", a=1)), say("done")), Priced(HAIKU, say("more")), free())
    thinking = agents(store, models)
    await thinking.chat("t", "go", "U1", ignored)
    answer = await thinking.chat("t", "and now?", "U1", ignored, purse=Purse("cheaper"))
    assert answer.text == "more"
    assert len(await store.load("t")) == 2


async def test_a_meter_passes_everything_on(store: Store) -> None:
    seen: list[Progress] = []

    async def see(progress: Progress) -> None:
        seen.append(progress)

    purse = Purse()
    events = [RoundStarted(1, last=False), Spent(SONNET, Usage(1, 1))]
    for event in events:
        await metered(see, purse)(event)
    assert seen == events
    assert purse.spent == events[1:]


def test_a_notice_says_first_that_something_had_to_be_saved() -> None:
    assert with_thrift("A limit was reached.", Purse(), ENGLISH) == "A limit was reached."
    said = with_thrift("A limit was reached.", Purse("rules"), ENGLISH)
    assert said == f"{ENGLISH.say('thrift.rules')} A limit was reached."
    assert with_thrift("", Purse("cheaper"), ENGLISH) == ENGLISH.say("thrift.cheaper")


async def test_without_a_cheaper_model_or_without_a_key_rules_are_what_is_cheaper() -> None:
    async with thinking(Settings(cheaper_model=HAIKU)) as models:
        assert all(isinstance(model, RulesAnalyst) for model in (models.full, models.cheaper, models.rules))
    async with thinking(Settings(anthropic_api_key=SecretStr("k"))) as models:
        assert (models.full.name, models.cheaper) == (SONNET, models.rules)
    async with thinking(Settings(anthropic_api_key=SecretStr("k"), cheaper_model=HAIKU)) as models:
        assert (models.full.name, models.cheaper.name, models.rules.analyst) == (SONNET, HAIKU, "rules-only")


class Scripted:
    """A patrol that spends and reports."""

    def __init__(self, made: PatrolReport) -> None:
        self.made = made
        self.languages: list[str] = []

    async def run_patrol(
        self,
        report_type: str,
        triggered_by: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        language: str = "en",
    ) -> tuple[str, PatrolReport]:
        self.languages.append(language)
        await on_progress(Spent(SONNET, Usage(10, 10)))
        return self.made.report_id, self.made


@pytest.mark.parametrize(("thrift", "notice"), [("", ""), ("rules", ENGLISH.say("thrift.rules"))])
async def test_a_patrol_spends_from_its_purse_and_says_when_it_had_to_save(thrift: Thrift, notice: str) -> None:
    asked: list[Thrift] = []

    def patrol_of(wanted: Thrift) -> Any:
        asked.append(wanted)
        return Scripted(report())

    async def step(text: str) -> None:
        """Steps nobody reads."""

    purse = Purse(thrift)
    made = await Patrols(patrol_of, lambda place, user: True).run("morning", "U1", step, purse=purse)
    assert (asked, made.notice) == ([thrift], notice)
    assert purse.spent == [Spent(SONNET, Usage(10, 10))]


async def test_a_patrol_is_told_the_language_of_who_asked() -> None:
    scripted: Any = Scripted(report())

    async def step(text: str) -> None:
        """Steps nobody reads."""

    patrols = Patrols(lambda thrift: scripted, lambda place, user: True)
    await patrols.run("morning", "U1", step, language="zh")
    await patrols.run("morning", "U1", step)
    assert scripted.languages == ["zh", "en"]
