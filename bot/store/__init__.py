"""Starwatch's own database: sessions, events already seen, posted reports, large results and what was spent. SQLite by
default, Postgres when several processes share it."""

from bot.store.blobs import BlobGone, Blobs
from bot.store.errors import Cause, StoreFault, StoreUnreadable, StoreUnwritable
from bot.store.opening import migrated, open_store
from bot.store.retention import Keep, Pruned
from bot.store.store import Store
from bot.store.usage import Payer, Usage, Usages

__all__ = [
    "BlobGone",
    "Blobs",
    "Cause",
    "Keep",
    "Payer",
    "Pruned",
    "Store",
    "StoreFault",
    "StoreUnreadable",
    "StoreUnwritable",
    "Usage",
    "Usages",
    "migrated",
    "open_store",
]
