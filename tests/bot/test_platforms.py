"""Several platforms as one: each place, person and channel belongs to one of them."""

import pytest

from bot.admission import Role
from bot.entrance import Entrance
from bot.platforms import Several, platform_of
from handlers.document import Document, Prose
from handlers.locale import english
from handlers.surface import Press, SurfaceError
from tests.bot.stages import lark_stage, slack_stage
from tests.fakes.lark import APP

HELLO = Document("hello", (Prose("hello"),))


class People:
    """Knows one kind of people."""

    def __init__(self, role: Role, language: str) -> None:
        self._told = role, language

    async def of(self, user: str) -> Role:
        return self._told[0]

    async def reads(self, user: str) -> tuple[str, str]:
        return self._told[1], ""


class Platform:
    """A platform that a stage plays on."""

    def __init__(self, name: str, stage: object, role: Role, language: str) -> None:
        self.surface = getattr(stage, "surface", None)
        self.people = People(role, language)
        self.team = name
        self.shut = False

    def channel(self, channel_id: str) -> str:
        return f"{self.team}:{channel_id}"

    def read_in(self, locales: object) -> None:
        self.locales = locales

    def listening(self, *arguments: object) -> "Platform":
        return self

    async def __aenter__(self) -> Entrance:
        async def shut() -> None:
            self.shut = True

        return Entrance(f"the door of {self.team}", shut)

    async def __aexit__(self, *fault: object) -> None:
        self.left = True


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("slack:T:C:1.1", "slack"),
        ("lark:cli_1:oc_1:om_1", "lark"),
        ("oc_1", "lark"),
        ("ou_1", "lark"),
        ("C0OPS", "slack"),
        ("U0ANNA", "slack"),
        ("", "slack"),
    ],
)
def test_every_place_channel_and_person_belongs_to_one_platform(place: str, name: str) -> None:
    assert platform_of(place) == name


async def test_what_concerns_a_place_goes_to_its_platform_alone() -> None:
    async with slack_stage() as slack, lark_stage() as lark:
        both = Several(
            {
                "slack": Platform("T", slack, Role.GUEST, "en"),
                "lark": Platform("cli", lark, Role.MEMBER, "zh"),
            }
        )
        for stage in (slack, lark):
            thread = stage.asked("why?")
            posted = await both.surface.post(thread, HELLO)
            await both.surface.update(posted.messages[0], HELLO)
            await both.surface.status(thread, "Thinking")
            async with both.surface.writing(thread, None, stage.user) as writing:
                await writing.finish(HELLO)
            assert next(iter(await both.surface.said(thread))).text == "why?"
            await both.surface.whisper(thread, stage.user, HELLO)
            await both.surface.dialog(stage.pressed(thread), "Title", HELLO)
            await both.surface.home(stage.user, HELLO)
            await both.surface.suggest(f"{stage.channel}", [("One", "What is one?")])
            assert stage.alone()
        assert [len(stage.seen()) for stage in (slack, lark)] == [2, 3]
        assert [await both.people.of(user) for user in ("U0ANNA", "ou_anna")] == [Role.GUEST, Role.MEMBER]
        assert [await both.people.reads(user) for user in ("U0ANNA", "ou_anna")] == [("en", ""), ("zh", "")]
        assert [both.channel(channel) for channel in ("C0OPS", "oc_ops")] == ["T:C0OPS", "cli:oc_ops"]
        assert both.team == "T, cli"


async def test_a_place_on_a_platform_that_is_not_served_is_refused() -> None:
    one = Several({"slack": Platform("T", None, Role.MEMBER, "en")})
    press = Press("k", "a", "v", "ou_anna", f"lark:{APP}:oc_1:om_1", "")
    with pytest.raises(SurfaceError, match="lark, which is not served"):
        await one.surface.dialog(press, "t", HELLO)
    with pytest.raises(SurfaceError):
        await one.people.of("ou_anna")
    assert one.channel("C1") == "T:C1"


def test_each_platform_is_told_how_its_people_read() -> None:
    slack, lark = Platform("T", None, Role.MEMBER, "en"), Platform("cli", None, Role.MEMBER, "en")
    Several({"slack": slack, "lark": lark}).read_in(english)
    assert [slack.locales, lark.locales] == [english, english]


async def test_all_doors_are_opened_named_and_shut_together() -> None:
    slack, lark = Platform("T", None, Role.MEMBER, "en"), Platform("cli", None, Role.MEMBER, "en")
    both = Several({"slack": slack, "lark": lark})
    async with both.listening(*[None] * 5) as entrance:  # type: ignore[arg-type]
        assert entrance.place == "the door of T, the door of cli"
        await entrance.shut()
        assert slack.shut
        assert lark.shut
    assert slack.left
    assert lark.left
