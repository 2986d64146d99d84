"""What a turn found, by the part each result plays in the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.rules_only.envelope import Failure, Outcome, Row, Sheet
from agent.rules_only.intent import Intent
from agent.rules_only.thresholds import Thresholds
from agent.rules_only.voice import Voice

_ABOUT = re.compile(r"^cluster (.+) \([0-9a-f]{8}-[0-9a-f-]{27}")
_MISSING = Failure("unavailable", ("it was not asked for in time",))


@dataclass(frozen=True, slots=True)
class Found:
    """The intent, its results by role, and the rules to judge them by."""

    intent: Intent
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    thresholds: Thresholds = field(default_factory=dict)

    @property
    def voice(self) -> Voice:
        """The language of the question, in which it is answered."""
        return Voice(self.intent.language)

    def say(self, key: str, **values: object) -> str:
        """A text in the language of the answer."""
        return self.voice.say(key, **values)

    def outcome(self, role: str) -> Outcome:
        """The result of that role; a failure when there is none."""
        return self.outcomes.get(role, _MISSING)

    def sheet(self, role: str) -> Sheet:
        """The rows of that role, none when it failed. Ask `failed` before "none" is said to anyone."""
        outcome = self.outcome(role)
        return outcome if isinstance(outcome, Sheet) else Sheet()

    def first(self, role: str) -> Row:
        """The first row of that role, or an empty one."""
        return self.sheet(role).first

    def failed(self, role: str) -> Failure | None:
        """The failure of that role, if it has none of the data."""
        outcome = self.outcome(role)
        return outcome if isinstance(outcome, Failure) else None

    @property
    def subject(self) -> str:
        """The name of the (first) cluster asked about, as the door resolved it, else as the person wrote it."""
        named = self.first("info:0").text("cluster_name")
        notes = (_ABOUT.search(outcome.note) for outcome in self.outcomes.values() if isinstance(outcome, Sheet))
        return named or next((match.group(1) for match in notes if match), "") or next(iter(self.intent.clusters), "")
