"""Between an acknowledged event and its handler: each event once, in order within a thread, threads side by side."""

from bot.turns.local import LocalTurns
from bot.turns.port import Stopped, TurnEngine, TurnsFull, TurnsRefused, Work, lane

__all__ = ["LocalTurns", "Stopped", "TurnEngine", "TurnsFull", "TurnsRefused", "Work", "lane"]
