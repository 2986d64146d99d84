"""Pure view of an investigation: what it came to in sections, how far that may be believed, and where it comes from."""

from collections.abc import Iterator, Sequence

from agent.investigation.checking import Checked
from agent.investigation.conclusion import Conclusion, Level
from agent.investigation.result import Investigation
from agent.investigation.scene import Scene
from handlers.answers import answer_document, behind
from handlers.document import Document, Fields, Heading, Note, Part, Prose
from handlers.locale import ENGLISH, Locale
from handlers.markdown import excerpt, line
from handlers.report_flag import MARKS

_FALLBACK = 300
_INFO = "🟢"


def investigation_document(done: Investigation, locale: Locale = ENGLISH, kept: str = "") -> Document:
    """The investigation in sections; one that came to nothing is shown as the failed answer that it is. Under the id
    `kept` it can be looked into and judged."""
    if done.checked is None or done.scene is None:
        return answer_document(done.answer, locale, kept)
    said, scene = done.checked.conclusion, done.scene
    name = line(scene.name or scene.asked)
    title = locale.say("investigation.title", cluster=name)
    parts: list[Part] = [Heading(title)]
    if done.answer.notice:
        parts.append(Note(done.answer.notice))
    parts.append(Fields(tuple(_facts(said, scene, locale))))
    parts.append(Prose(f"**{locale.say('investigation.cause')}**\n\n{said.root_cause}"))
    parts.extend(_sections(said, locale))
    parts.extend(_doubts(done.checked, locale))
    parts.extend(behind(done.answer, locale, kept))
    return Document(excerpt(f"{title}: {said.root_cause}", _FALLBACK), tuple(parts), locale.language)


def _facts(said: Conclusion, scene: Scene, locale: Locale) -> Iterator[tuple[str, str]]:
    severity = _severity(said.severity, locale)
    if said.severity != scene.severity:
        measured = _severity(scene.severity, locale)
        severity = locale.say("investigation.milder", severity=severity, measured=measured)
    yield locale.say("investigation.severity"), severity
    label = locale.say(f"confidence.{said.label}")
    yield locale.say("investigation.confidence"), f"{label} ({said.confidence:.2f})"
    if scene.onset is not None:
        yield locale.say("investigation.since"), locale.time(scene.onset)
    if scene.customer:
        yield locale.say("investigation.customer"), f"{line(scene.customer)} ({scene.tier})"


def _severity(level: Level, locale: Locale) -> str:
    word = locale.say("investigation.info" if level == "Info" else f"severity.{level}")
    return f"{MARKS.get(level, _INFO)} {word}"


def _sections(said: Conclusion, locale: Locale) -> Iterator[Part]:
    items = [f"{one.text} `{line(one.query_id)}`" if one.query_id else one.text for one in said.evidence]
    actions = [f"**{locale.say(f'urgency.{one.urgency}')}:** {one.text}" for one in said.actions]
    for key, lines in (
        ("evidence", items),
        ("ruled_out", said.ruled_out),
        ("unknown", said.unknown),
        ("actions", actions),
    ):
        if lines:
            yield Prose(f"**{locale.say(f'investigation.{key}')}**\n\n{_listed(lines)}")


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {one}" for one in lines)


def _doubts(checked: Checked, locale: Locale) -> Iterator[Part]:
    """What code corrected, and why nobody may be surer."""
    if checked.doubts:
        reasons = [locale.say(f"investigation.doubt.{one}") for one in checked.doubts]
        yield Note(locale.say("investigation.capped", reasons="; ".join(reasons)))
    if checked.withheld is not None:
        yield Note(locale.say("investigation.lowered"))
    if checked.refused:
        yield Note(locale.say("investigation.refused", count=checked.refused))
