"""What a patrol could see, in one line under its report, and whether that is enough to call the fleet healthy. Pure."""

from collections.abc import Iterator

from agent.patrol.coverage import Coverage, Source
from agent.patrol.report import PatrolReport
from agent.patrol.voice import Voice
from handlers.document import Note, Part
from handlers.figures import moment_of
from handlers.locale import Locale
from handlers.markdown import line

_HOUR, _DAYS = 60, 48 * 60
"""Minutes from which an age is told in hours, and in days."""


def coverage_parts(report: PatrolReport, locale: Locale) -> Iterator[Part]:
    """The line; nothing for a report of before there was one."""
    if (seen := report.coverage) is not None:
        yield Note(locale.say("coverage", told=" · ".join(_told(seen, locale))))


def healthy(report: PatrolReport, locale: Locale) -> str:
    """The state of a fleet in which nothing is flagged. Healthy are only clusters that could be judged, and all is only
    well when everything could be seen."""
    seen = report.coverage
    if seen is None:
        return locale.say("report.nothing")
    if seen.whole:
        return locale.say("report.healthy", clusters=seen.clusters)
    key = "report.healthy.unseen" if seen.judged == seen.clusters else "report.healthy.part"
    return locale.say(key, judged=seen.judged, clusters=seen.clusters)


def _told(seen: Coverage, locale: Locale) -> Iterator[str]:
    yield locale.say("coverage.judged", judged=seen.judged, clusters=seen.clusters)
    for key, count in (("silent", seen.silent), ("waiting", seen.waiting), ("partial", seen.partial)):
        if count:
            yield locale.say(f"coverage.{key}", count=count)
    # one that could not be read is named among the checks that failed
    ages = [_source(one, seen, locale) for one in seen.sources if not one.failed]
    yield locale.say("coverage.newest", ages=locale.say("coverage.comma").join(ages))
    voice = Voice(locale.language)
    for key, names in (("failed", seen.failed), ("cut", seen.cut)):
        if names:
            named = locale.say("coverage.comma").join(line(voice.word(one)) for one in names)
            yield locale.say(f"coverage.{key}", names=named)


def _source(source: Source, seen: Coverage, locale: Locale) -> str:
    name, newest, at = locale.say(f"source.{source.name}"), moment_of(source.newest), moment_of(seen.at)
    if newest is None or at is None:
        # issues count while they are open, however old; the other sources are read for a week
        return locale.say("coverage.none.issues" if source.name == "issues" else "coverage.none", source=name)
    minutes = max(0, int((at - newest).total_seconds() // 60))
    if minutes < _HOUR:
        return locale.say("coverage.minutes", source=name, count=minutes)
    if minutes < _DAYS:
        return locale.say("coverage.hours", source=name, count=minutes // _HOUR)
    return locale.say("coverage.days", source=name, count=minutes // (24 * _HOUR))
