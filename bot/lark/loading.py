"""Loads what speaks Lark's long connection, which is large: two seconds and 170 MB that nobody else should pay for."""

import asyncio
import importlib
import threading
from types import ModuleType

_LOADED: list[ModuleType] = []


def long_connection() -> ModuleType:
    """The module `bot.lark.socket`; blocking. Lark's client takes the event loop of the thread that loads it for its
    own, so it is loaded in a thread whose loop nobody else uses."""
    loader = threading.Thread(target=_load, name="loading Lark's client")
    loader.start()
    loader.join()
    return _LOADED[0]


def _load() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        _LOADED.append(importlib.import_module("bot.lark.socket"))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
