"""Names for decisions: asked of the platform, never waited for in vain."""

from bot.desk import names_of
from handlers.surface import SurfaceError


class People:
    def __init__(self, name: str = "", fault: SurfaceError | None = None) -> None:
        self.name, self.fault = name, fault

    async def named(self, user: str) -> str:
        if self.fault is not None:
            raise self.fault
        return self.name


async def test_a_person_is_called_by_name_and_by_id_where_nobody_tells_it() -> None:
    assert await names_of(People("Anna"))("x:C", "U1") == "Anna"
    assert await names_of(People())("x:C", "U1") == "U1"
    assert await names_of(People(fault=SurfaceError("away")))("x:C", "U1") == "U1"
