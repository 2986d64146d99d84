"""Who somebody on Lark is, and how they read."""

from collections.abc import AsyncIterator

import pytest

from bot.admission import Role
from bot.lark.api import LarkApi
from bot.lark.people import lark_people, person_of
from bot.people import KNOWN_FOR, KnownPeople
from handlers.surface import SurfaceError
from tests.bot.lark.conftest import Time, config
from tests.fakes.lark import FakeLark, Scripted


@pytest.fixture
async def people(lark: FakeLark, time: Time) -> AsyncIterator[KnownPeople]:
    api = LarkApi(config(lark), clock=time.clock, sleep=time.sleep)
    yield lark_people(api, "en", time.clock)
    await api.close()


async def test_a_person_of_the_company_is_a_member_and_is_asked_for_once_an_hour(
    lark: FakeLark, people: KnownPeople, time: Time
) -> None:
    assert [await people.of("ou_anna") for _ in range(3)] == [Role.MEMBER] * 3
    assert len(lark.called("users.get")) == 1
    time.now += KNOWN_FOR
    await people.of("ou_anna")
    assert len(lark.called("users.get")) == 2


@pytest.mark.parametrize("gone", ["is_resigned", "is_exited", "is_frozen"])
async def test_who_left_the_company_is_nobody(lark: FakeLark, people: KnownPeople, gone: str) -> None:
    lark.people["ou_anna"] = {"status": {gone: True}}
    assert await people.of("ou_anna") is Role.NOBODY


async def test_the_users_of_other_platforms_are_nobody_here(lark: FakeLark, people: KnownPeople) -> None:
    assert await people.of("U0ANNA") is Role.NOBODY
    assert await people.of("") is Role.NOBODY
    assert lark.called("users.get") == []


async def test_without_the_scope_or_out_of_its_range_everybody_is_a_member(lark: FakeLark, people: KnownPeople) -> None:
    assert await people.of("ou_unknown") is Role.MEMBER
    lark.scopes -= {"contact:contact.base:readonly", "contact:user.base:readonly"}
    assert await people.of("ou_ben") is Role.MEMBER


async def test_when_lark_is_away_nobody_knows(lark: FakeLark, people: KnownPeople) -> None:
    lark.fail("users.get", Scripted(status=502, html=True))
    with pytest.raises(SurfaceError):
        await people.of("ou_anna")
    assert await people.of("ou_anna") is Role.MEMBER


@pytest.mark.parametrize(
    ("user", "reads"),
    [
        ({}, ("en", "")),
        ({"time_zone": "Asia/Shanghai", "country": "CN"}, ("zh", "Asia/Shanghai")),
        ({"country": "US"}, ("en", "")),
    ],
)
async def test_a_persons_country_and_zone_say_how_they_read(
    lark: FakeLark, people: KnownPeople, user: dict[str, str], reads: tuple[str, str]
) -> None:
    lark.people["ou_anna"] = user
    assert await people.reads("ou_anna") == reads


async def test_a_person_is_called_by_the_name_that_lark_tells(lark: FakeLark, people: KnownPeople) -> None:
    lark.people["ou_anna"] = {"name": "Anna Berg"}
    assert await people.named("ou_anna") == "Anna Berg"
    assert await people.named("U0SLACK") == ""


def test_on_feishu_chinese_is_read_where_nothing_else_is_known() -> None:
    assert person_of({}, "zh").language == "zh"
    assert person_of({"country": "US"}, "zh").language == "en"
