"""Documents that are kept come back as they were."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents import document_json, document_of
from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Fields,
    File,
    Heading,
    Menu,
    Note,
    Part,
    Prose,
    Series,
    Table,
)

EVERYTHING: tuple[Part, ...] = (
    Heading("same text"),
    Note("same text"),
    Prose("**bold** \u202e é 日本"),
    Fields((("disk", "91 %"), ("", ""))),
    Table(("a", "b"), (("1", "2"), ("3", "4")), "four"),
    Actions((Button("Go", "go", '{"a": 1}', "danger"), Menu("Pick", "pick", (("one", "1"), ("two", "2"))))),
    Chart("line", "Disk", ("mon", "tue"), (Series("x", (1.5, None)),), unit="%", alt="rising"),
    File("rows.csv", "Rows", b"\x00\xffa,b"),
    Divider(),
)


@pytest.mark.parametrize("part", EVERYTHING, ids=lambda part: type(part).__name__)
def test_each_kind_of_part_comes_back_as_it_was(part: Part) -> None:
    shown = Document("fall-back", (part,))
    assert document_of(json.loads(json.dumps(document_json(shown)))) == shown


def test_an_empty_document_and_a_full_one_come_back() -> None:
    for shown in (Document("", ()), Document("all", EVERYTHING)):
        assert document_of(json.loads(json.dumps(document_json(shown)))) == shown


def test_every_part_that_a_document_may_have_is_tried_here() -> None:
    assert {type(part) for part in EVERYTHING} == set(Part.__args__)


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"kind": "Document"},
        {"kind": "Document", "fields": []},
        {"kind": "Document", "fields": {"fallback": "x", "parts": [{"kind": "bytes", "base64": "no!"}], "language": 1}},
        {"kind": ["Document"], "fields": {}},
        {"kind": "Gone", "fields": {}},
        {"kind": "Note", "fields": {"text": "no document"}},
        {"kind": "Document", "fields": {"fallback": "x", "parts": [], "more": 1}},
        {"kind": "Document", "fields": {"fallback": "x", "parts": [{"kind": "Gone", "fields": {}}]}},
    ],
)
def test_what_is_no_document_of_ours_is_refused(record: Any) -> None:
    with pytest.raises(ValueError, match="kept"):
        document_of(record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"kind": st.sampled_from(["Document", "Note", "Chart", "Series", "bytes", "Gone"]), "fields": inner}
        )
        | st.dictionaries(st.sampled_from(["fallback", "parts", "text", "name", "values"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON)
def test_anything_else_that_a_database_could_hold_is_a_document_or_refused(record: Any) -> None:
    try:
        found = document_of(record)
    except ValueError:
        return
    assert isinstance(found, Document)
