"""The files of our texts: none says one thing twice."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("agent/investigation/words", "agent/patrol/writing", "agent/rules_only/writing", "handlers/words")
    for path in (ROOT / folder).glob("*.yaml")
)


def test_there_are_files() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_no_key_stands_twice_in_a_file(path: Path) -> None:
    # reading takes the last one without a word, so a change of the first would be lost
    node = yaml.compose(path.read_text(encoding="utf-8"))
    assert isinstance(node, yaml.MappingNode)
    counts = Counter(str(key.value) for key, _ in node.value)
    assert [key for key, count in counts.items() if count > 1] == []
