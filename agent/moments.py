"""The points in time that a text names, held against those that are known: a time that nobody measured is marked."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# whole names: of "decreased 12" and "3 separate" neither is a date, and "3 may follow" is none either
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May|MAY)|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = "|".join(
    (
        r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})(?![0-9])",
        rf"(?P<named>{_MONTH}) (?P<nday>[0-9]{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<nyear>[0-9]{{4}})\b)?",
        rf"(?P<dday>[0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<dnamed>{_MONTH})\b(?:,? (?P<dyear>[0-9]{{4}})\b)?",
        r"(?:(?P<cyear>[0-9]{4}) ?年 ?)?(?P<cmonth>[0-9]{1,2}) ?月 ?(?P<cday>[0-9]{1,2}) ?[日号]",
        # month and day alone are a date only before a time: 11-20 is a range of something elsewhere
        r"(?P<smonth>[0-9]{2})-(?P<sday>[0-9]{2})(?=[T ][0-9]{1,2}:[0-9]{2})",
    )
)
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?(?![0-9:])"
_CLOCK_ALONE = _CLOCK.replace("hour", "hour2").replace("minute", "minute2")
_MOMENT = re.compile(
    rf"(?<![A-Za-z0-9_.:/+-])(?:(?:{_DATE})(?:(?:[T ]|, ?| at )?{_CLOCK})?|{_CLOCK_ALONE})", re.IGNORECASE
)
_ABOUT_BEFORE = re.compile(
    r"(?i)(?:\b(?:about|around|circa|approximately|roughly|near|shortly (?:after|before))|~|≈|约) ?$"
)
_ABOUT_AFTER = re.compile(r"^ ?(?:UTC ?)?(?:左右|前后|or so)")
_ELSEWHERE = re.compile(
    r"^[ (]{0,2}(?:[A-Z][a-z]+/[A-Z][A-Za-z_]+|(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2})?|[PMCE][SD]?T\b|CES?T|[JI]ST"
    r"|Pacific|Eastern|Beijing|北京|local|当地)"
)
_LOOSE = timedelta(minutes=45)
"""What "about" covers: data is hourly, so the true time lies up to half an hour beside the hour."""
_REACH = timedelta(minutes=60)
"""By how much a time that lies ahead may be rounded."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as it is written at `start:end`. What it leaves open is None: a year, a day, a time of day
    (minutes after midnight). `about` tells that it is only meant roughly, `elsewhere` that its zone is not UTC."""

    start: int
    end: int
    year: int | None = None
    day: tuple[int, int] | None = None
    minutes: int | None = None
    about: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Points in time (naive UTC, or wall clock where a result has that) that were read or calculated: `read` as they
    are, `ahead` as what is expected, which is told in round hours."""

    read: frozenset[datetime] = frozenset()
    ahead: tuple[datetime, ...] = ()

    def holds(self, one: Moment) -> bool:
        """Whether a written point in time is one of these."""
        if any(_meets(one, at, _LOOSE if one.about else timedelta(0)) for at in self.read):
            return True
        return any(_meets(one, at, _REACH) for at in self.ahead)


def moments(text: str) -> Iterator[Moment]:
    """All points in time of a text, in order; what cannot be one (25:00, the 31st of a 13th month) is left out."""
    for match in _MOMENT.finditer(text):
        named = match.groupdict()
        minutes = _minutes(named["hour"] or named["hour2"], named["minute"] or named["minute2"])
        day = _day(named)
        if minutes is None and (day is None or named["hour"]):
            continue
        before, after = text[max(0, match.start() - 20) : match.start()], text[match.end() : match.end() + 24]
        about = bool(_ABOUT_BEFORE.search(before) or _ABOUT_AFTER.match(after))
        elsewhere = minutes is not None and bool(_ELSEWHERE.match(after))
        yield Moment(match.start(), match.end(), _year(named), day, minutes, about, elsewhere)


def read_in(texts: Iterable[str], year: int) -> Iterator[datetime]:
    """The points in time that results name, those without a year taken to be of `year`; a time alone is none."""
    for text in texts:
        for one in moments(text):
            day = _date(one.year or year, *one.day) if one.day else None
            if day is not None:
                yield datetime.combine(day, time()) + timedelta(minutes=one.minutes or 0)


def _meets(one: Moment, at: datetime, slack: timedelta) -> bool:
    if one.elsewhere:
        # of another zone only the minutes can be compared without knowing what its clocks show
        return one.minutes is not None and (one.minutes - at.minute) % 30 == 0
    if one.day is None:
        apart = abs((at.hour * 60 + at.minute) - (one.minutes or 0))
        return min(apart, 24 * 60 - apart) <= slack / timedelta(minutes=1)
    if one.minutes is None:
        return (at.month, at.day) == one.day and one.year in (None, at.year)
    day = _date(one.year or at.year, *one.day)
    if day is None:
        return False
    written = datetime.combine(day, time()) + timedelta(minutes=one.minutes)
    return abs(written - at.replace(second=0, microsecond=0)) <= slack


def _minutes(hour: str | None, minute: str | None) -> int | None:
    if hour is None or minute is None or int(hour) > 23 or int(minute) > 59:
        return None
    return int(hour) * 60 + int(minute)


def _day(named: dict[str, str | None]) -> tuple[int, int] | None:
    month = named["month"] or named["cmonth"] or named["smonth"]
    spelled = named["named"] or named["dnamed"]
    day = named["day"] or named["nday"] or named["dday"] or named["cday"] or named["sday"]
    if day is None:
        return None
    at = _MONTHS.index(spelled[:3].lower()) + 1 if spelled else int(month or 0)
    # a leap year, so that the 29th of February is a day
    return (at, int(day)) if _date(2028, at, int(day)) else None


def _year(named: dict[str, str | None]) -> int | None:
    year = named["year"] or named["nyear"] or named["dyear"] or named["cyear"]
    return int(year) if year else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
