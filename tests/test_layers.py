"""The layers of the house: imports run one way."""

from importlinter.cli import lint_imports


def test_no_import_runs_against_the_layers(capsys: object) -> None:
    assert lint_imports(no_cache=True) == 0
