"""The card that asks for an approval, and what it becomes: every argument as exact JSON, unlike any words of ours."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.approval import Proposal
from handlers.buttons import APPROVE, DECLINE, approval
from handlers.document import Actions, Button, Document, File, Heading, Note, Part, Prose
from handlers.locale import Locale
from handlers.markdown import excerpt, literal
from handlers.permits import Approval

SHOWN = 2_400
"""Characters of arguments on a card: it has to fit one message, to be redrawn when it was decided."""
LINE = 400
_TOLD = 200
_TWICE = re.compile(r"(?<= ) ")
# Right-to-left letters would reorder what is read; what cannot be seen could hide.
_TURNS = frozenset({"R", "AL", "AN"})


@dataclass(frozen=True, slots=True)
class Body:
    """The arguments as they are read, each line Markdown; `left` counts those that are left out or cut."""

    lines: tuple[str, ...]
    left: int


def exact(value: Any) -> str:
    """A value as JSON on one line, of characters that are seen, in the order in which they stand; read as JSON it is
    the value again."""
    text = json.dumps(value, ensure_ascii=False)
    shown = "".join(one if _plain(one) else json.dumps(one)[1:-1] for one in text)
    # a run of spaces would be read as one
    return _TWICE.sub(r"\\u0020", shown)


def whole_file(asked: Approval, locale: Locale) -> Document | None:
    """What is to be approved, as a file, when the card does not hold all of it."""
    if not _body(asked, locale).left:
        return None
    told = [{"tool": one.tool, "server": one.effect.server, "arguments": one.arguments} for one in asked.proposals]
    content = json.dumps({"approval": asked.id, "hash": asked.digest, "calls": told}, indent=2)
    title = locale.say("approval.file")
    return Document(title, (File(f"approval-{asked.id}.json", title, content.encode()),), locale.language)


def card(asked: Approval, asker: str, locale: Locale) -> Document:
    """The card as the approval stands. `asker` is what the one is called who asked."""
    title = locale.say("approval.title") if asked.state == "waiting" else _decision(asked, locale)
    body = _body(asked, locale)
    parts: list[Part] = [Heading(title), Prose(locale.say("approval.intro", asker=f"**{literal(asker)}**"))]
    parts.append(Prose("\n".join(body.lines)))
    if body.left:
        parts.append(Note(locale.say("approval.cut", left=body.left)))
    parts.append(Prose("\n".join(f"- {line}" for line in _effects(asked.proposals, locale))))
    digest = asked.digest[:16]
    if asked.state == "waiting":
        parts.append(_buttons(asked, locale))
        until = locale.time(asked.expires_at)
        parts.append(Note(locale.say("approval.until", time=until, id=asked.id, digest=digest)))
    else:
        parts.append(Note(locale.say("approval.hash", id=asked.id, digest=digest)))
    tools = ", ".join(dict.fromkeys(one.tool for one in asked.proposals))
    return Document(f"{title}: {tools}", tuple(parts), locale.language)


def _decision(asked: Approval, locale: Locale) -> str:
    when = locale.time(asked.decided_at or asked.expires_at)
    return locale.say(f"approval.{asked.state}", name=excerpt(asked.name or asked.by, 80), time=when)


def _buttons(asked: Approval, locale: Locale) -> Actions:
    value = approval(asked.id, asked.digest)
    return Actions(
        (
            Button(locale.say("approval.approve"), APPROVE, value, "primary"),
            Button(locale.say("approval.decline"), DECLINE, value, "danger"),
        )
    )


def _body(asked: Approval, locale: Locale) -> Body:
    lines: list[str] = []
    left, used = 0, 0
    for number, one in enumerate(asked.proposals, 1):
        title = literal(locale.say("approval.call", number=number, tool=one.tool, server=one.effect.server))
        fate = asked.fates.get(one.call_id)
        told = f" ({literal(locale.say(f'approval.fate.{fate}'))})" if fate else ""
        # a title counts little and stays, so that every call is seen to be one
        heads = [f"**{title}**{told}"]
        for depth, line in _arguments(one.arguments):
            cut = line if len(line) <= LINE else f"{line[: LINE - 1]}…"
            if used + len(cut) > SHOWN:
                left += 1
                continue
            left += len(line) > LINE
            used += len(cut)
            heads.append(f"{'  ' * depth}- {literal(cut)}")
        used += len(title)
        if used > SHOWN + LINE and number > 1:
            left += 1
            continue
        lines.extend(heads)
    return Body(tuple(lines), left)


def _arguments(arguments: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """A line for each argument, and one for each item of those that are lists."""
    for name, value in arguments.items():
        if isinstance(value, list) and value:
            yield 0, f"{exact(name)}: [{len(value)}]"
            yield from ((1, exact(item)) for item in value)
        else:
            yield 0, f"{exact(name)}: {exact(value)}"


def _effects(proposals: Sequence[Proposal], locale: Locale) -> Iterator[str]:
    """What each tool does, once."""
    for tool, effect in {one.tool: one.effect for one in proposals}.items():
        harm = locale.say("approval.destructive" if effect.destructive else "approval.additive")
        again = locale.say("approval.idempotent" if effect.idempotent else "approval.repeats")
        told = literal(exact(excerpt(effect.told, _TOLD)))
        yield locale.say("approval.effect", tool=literal(tool), harm=harm, again=again, told=told)


def _plain(one: str) -> bool:
    return one == " " or not (unicodedata.category(one)[0] in "CZ" or unicodedata.bidirectional(one) in _TURNS)
