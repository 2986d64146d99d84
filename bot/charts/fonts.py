"""Which letters a picture can be written in: those of the fonts that come along; Chinese where the host has a font."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts", Path("/Library/Fonts"))
_MOST_FILES = 20_000
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_CJK_FONT = re.compile(r"cjk|noto ?sans ?(sc|tc|jp|kr)|sourcehan|wqy|fallback|simsun|simhei|msyh|pingfang|uming", re.I)


class Fonts:
    """The fonts below some folders, looked for once."""

    def __init__(self, folders: Sequence[Path] = FOLDERS) -> None:
        self._folders = folders

    def can_write(self, text: str) -> bool:
        """Whether the text comes out in letters; without a font for it Chinese is a row of boxes."""
        return _CJK.search(text) is None or self._has_cjk

    @cached_property
    def _has_cjk(self) -> bool:
        # by name: to read what letters a file holds would take a library of its own
        files = (file for folder in self._folders if folder.is_dir() for file in folder.rglob("*.[ot]t[fc]"))
        return any(_CJK_FONT.search(file.name) for _, file in zip(range(_MOST_FILES), files, strict=False))
