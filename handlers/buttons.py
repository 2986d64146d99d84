"""What travels in a button: written by the views, read back by the surfaces when somebody presses it."""

import hashlib
import json
import re

INVESTIGATE = "investigate"
"""The action of the button under a flagged cluster."""

WELCOME = "welcome"
OUTSIDE = "look_outside"
"""No button: somebody opened the conversation with us alone."""

RETRY = "retry"
"""The action of the button under a failure."""

HOME = "home"
"""No button: the action of the press that a surface makes when somebody opens our page."""

_LONGEST_ID = 150
"""Characters; two ids keep within the 2,000 of a button's value even when each character needs six in JSON."""


def investigation(report_id: str, cluster_id: str) -> str:
    """The value of an Investigate button. Both ids are cut to 150 characters."""
    ids = {"report": report_id[:_LONGEST_ID], "cluster": cluster_id[:_LONGEST_ID]}
    return json.dumps(ids, ensure_ascii=False, separators=(",", ":"))


def investigated(value: str) -> tuple[str, str]:
    """Report id and cluster id of a pressed button. Raises ValueError for anything else."""
    try:
        ids = json.loads(value)
    except RecursionError:
        raise ValueError("nested deeper than any value of ours") from None
    if not isinstance(ids, dict) or set(ids) != {"report", "cluster"}:
        raise ValueError("not the value of an Investigate button")
    report, cluster = ids["report"], ids["cluster"]
    for one in (report, cluster):
        if not isinstance(one, str) or not 0 < len(one) <= _LONGEST_ID:
            raise ValueError("not the ids of a report and a cluster")
    return report, cluster


ANSWER_SQL = "answer_sql"
ANSWER_PAGE = "answer_sql_page"
"""The dialog that shows the SQL, sent to see another page of it."""
ANSWER_CSV = "answer_csv"
ANSWER_GOOD = "answer_good"
ANSWER_BAD = "answer_bad"
ANSWER_WHY = "answer_why"
"""The dialog behind a thumb down."""

_ANSWER_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")


def of_statement(answer_id: str, number: int) -> str:
    """The value of a CSV button: the statement with that number, from 0, of an answer."""
    return f"{answer_id}:{number}"


def statement_of(value: str) -> tuple[str, int]:
    """Answer and number of a CSV button. Raises ValueError for anything else."""
    answer_id, _, number = value.partition(":")
    if not re.fullmatch(r"[0-9]{1,3}", number):
        raise ValueError("not the value of a CSV button")
    return answer_of(answer_id), int(number)


def answer_of(value: str) -> str:
    """The answer that a button stands under. Raises ValueError for anything else."""
    if not _ANSWER_ID.fullmatch(value):
        raise ValueError("not the id of an answer")
    return value


ACKNOWLEDGE = "finding_acknowledge"
REOPEN = "finding_reopen"
SNOOZE = "finding_snooze"
ASSIGN = "finding_assign"
ASSIGNED = "finding_assigned"
"""The dialog behind Assign."""
FLAG_SQL = "finding_sql"
KNOWN = "finding_known"
KNOWN_NOTED = "finding_known_noted"
"""The dialog behind Known issue."""

_SHORT_ID = 16
_FLAG = re.compile(r"([A-Za-z0-9_.-]{1,64}):([0-9a-f]{16})")
_SNOOZED = re.compile(r"([0-9]{1,3}[hd]):(.+)", re.DOTALL)


def short_id(cluster_id: str) -> str:
    """A cluster in 16 hexadecimal digits, short and harmless whatever its id is."""
    return hashlib.sha256(cluster_id.encode("utf-8", "replace")).hexdigest()[:_SHORT_ID]


def flag(report_id: str, cluster_id: str) -> str:
    """The value of the buttons under a flagged cluster of a report."""
    return f"{report_id}:{short_id(cluster_id)}"


def flag_of(value: str) -> tuple[str, str]:
    """Report id and `short_id` of the cluster of such a button. Raises ValueError for anything else."""
    if (found := _FLAG.fullmatch(value)) is None:
        raise ValueError("not the value of a button under a flagged cluster")
    return found[1], found[2]


def snooze(span: str, of: str) -> str:
    """An option of the snooze menu: how long, and the `flag` it is for."""
    return f"{span}:{of}"


def snooze_of(value: str) -> tuple[str, str]:
    """How long, and the `flag`. Raises ValueError for anything else."""
    if (found := _SNOOZED.fullmatch(value)) is None:
        raise ValueError("not an option of the snooze menu")
    return found[1], found[2]


_LONGEST_KEY = 255


def retry(key: str) -> str:
    """The value of a Retry button: the key of the event that failed."""
    return json.dumps({"again": key[:_LONGEST_KEY]}, ensure_ascii=False)


def retried(value: str) -> str:
    """The key of a pressed Retry button. Raises ValueError for anything else."""
    try:
        told = json.loads(value)
    except RecursionError:
        raise ValueError("nested deeper than any value of ours") from None
    if not isinstance(told, dict) or set(told) != {"again"}:
        raise ValueError("not the value of a Retry button")
    key = told["again"]
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
        raise ValueError("not the key of an event")
    return key


APPROVE = "approval_approve"
DECLINE = "approval_decline"

_APPROVAL = re.compile(r"([0-9a-f]{16}):([0-9a-f]{32})")


def approval(approval_id: str, digest: str) -> str:
    """The value of the buttons of an approval: its id, and the beginning of the hash of what is approved."""
    return f"{approval_id}:{digest[:32]}"


def approval_of(value: str) -> tuple[str, str]:
    """Id and beginning of the hash. Raises ValueError for a value of no button of ours."""
    if (found := _APPROVAL.fullmatch(value)) is None:
        raise ValueError("not the value of an approval's button")
    return found[1], found[2]
