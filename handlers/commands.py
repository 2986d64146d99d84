"""Words that are no question but tell us how to behave: this table is the whole of them, in both languages."""

from collections.abc import Awaitable, Callable, Mapping

from handlers.deps import Deps
from handlers.document import Document, Prose
from handlers.locale import Locale
from handlers.markdown import excerpt, literal
from handlers.posting import post
from handlers.preferences import CONTEXT, FOLLOW, LANGUAGE, MUTED, OFF, ON, TOLD, ZONE, channel_of
from handlers.surface import Question
from handlers.views import note_document
from handlers.zones import zone_named

Command = Callable[[Question, str, Deps], Awaitable[Document]]
"""Does what was said, given the words behind it, and gives what is answered."""

STOP = frozenset({"stop", "cancel", "abort", "停止", "取消", "停"})
"""One of these alone ends what is being done in a thread. It acts at once, so the surfaces look for it themselves."""

_SWITCHES = {"on": "", "off": OFF, "开": "", "关": OFF}
_TONGUES = {"english": "en", "英文": "en", "chinese": "zh", "中文": "zh", "auto": "", "自动": ""}
LONGEST = 60
"""Characters; anything longer is a question."""


def is_stop(text: str) -> bool:
    """Whether a message wants what is being done to end."""
    return _bare(text) in STOP


def command_of(text: str) -> tuple[Command, str] | None:
    """The command that a message is, and the words behind it; None for a question."""
    bare = _bare(text)
    if len(bare) > LONGEST:
        return None
    for name, command in COMMANDS.items():
        words = bare.removeprefix(name).strip() if bare.startswith(name) else None
        if words is not None and _fits(command, words):
            return command, words
    return None


async def obey(command: Command, words: str, question: Question, deps: Deps) -> None:
    """Do what was said and answer in its thread."""
    document = await command(question, words, deps)
    await post("command", question.thread, document, deps)


async def _help(question: Question, words: str, deps: Deps) -> Document:
    locale = await deps.locale(question.thread, question.user)
    text = locale.say("help")
    return Document(excerpt(text, 300), (Prose(text),))


async def _reset(question: Question, words: str, deps: Deps) -> Document:
    await deps.agents.forget(question.thread, question.user)
    await deps.preferences.put(question.thread, TOLD, question.order)
    return await _said("reset.done", question, deps)


async def _mute(question: Question, words: str, deps: Deps) -> Document:
    await deps.preferences.put(question.thread, MUTED, ON)
    return await _said("mute.done", question, deps)


async def _unmute(question: Question, words: str, deps: Deps) -> Document:
    await deps.preferences.put(question.thread, MUTED, "")
    return await _said("unmute.done", question, deps)


async def _follow(question: Question, words: str, deps: Deps) -> Document:
    await deps.preferences.put(channel_of(question.thread), FOLLOW, _SWITCHES[words])
    return await _said("follow.off" if _SWITCHES[words] else "follow.on", question, deps)


async def _context(question: Question, words: str, deps: Deps) -> Document:
    await deps.preferences.put(channel_of(question.thread), CONTEXT, _SWITCHES[words])
    return await _said("context.off" if _SWITCHES[words] else "context.on", question, deps)


async def _language(question: Question, words: str, deps: Deps) -> Document:
    await deps.preferences.put(channel_of(question.thread), LANGUAGE, _TONGUES[words])
    return await _said("language.done", question, deps)


async def _zone(question: Question, words: str, deps: Deps) -> Document:
    name = "" if words in ("auto", "自动") else zone_named(words)
    if name is None:
        return await _said("zone.unknown", question, deps, name=literal(words))
    await deps.preferences.put(channel_of(question.thread), ZONE, name)
    locale = await deps.locale(question.thread, question.user)
    return _note(locale, "zone.done", zone=locale.zone.key)


COMMANDS: Mapping[str, Command] = {
    "help": _help,
    "帮助": _help,
    "reset": _reset,
    "重置": _reset,
    "mute": _mute,
    "静音": _mute,
    "unmute": _unmute,
    "取消静音": _unmute,
    "follow-ups": _follow,
    "跟进": _follow,
    "context": _context,
    "上下文": _context,
    "language": _language,
    "语言": _language,
    "time zone": _zone,
    "时区": _zone,
}
"""What is typed → what is done."""


def _fits(command: Command, words: str) -> bool:
    """Whether these words may stand behind the command; with others the message is a question."""
    if command in (_follow, _context):
        return words in _SWITCHES
    if command is _language:
        return words in _TONGUES
    if command is _zone:
        return bool(words) and " " not in words
    return not words


async def _said(key: str, question: Question, deps: Deps, **values: object) -> Document:
    # asked for after the command, which may have changed the language
    return _note(await deps.locale(question.thread, question.user), key, **values)


def _note(locale: Locale, key: str, **values: object) -> Document:
    return note_document(locale.say(key, **values))


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?。！？")
