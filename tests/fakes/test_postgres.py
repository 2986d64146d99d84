"""The servers that tests start: what a killed run leaves behind is found and ended, and nothing else is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

from tests.fakes.postgres import sweep

KILLED = """
import os, signal
from tests.fakes.postgres import running
with running() as server:
    print(server.address("postgres"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def parent() -> Iterator[Path]:
    """A folder that the user of the server may enter, unlike pytest's."""
    folder = Path(mkdtemp(prefix="starwatch-swept-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ended() -> int:
    """The number of a process that is no more."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return gone.pid


def left_behind(parent: Path, maker: object, postmaster: object) -> Path:
    """The files of a server that was made by one process and says that it is another."""
    folder = parent / f"starwatch-postgres-{maker}-abc"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "postmaster.pid").write_text(f"{postmaster}\n{folder / 'data'}\n")
    return folder


def test_the_server_of_a_killed_process_is_ended_and_its_files_go(parent: Path) -> None:
    environment = os.environ | {"TMPDIR": str(parent)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], env=environment, capture_output=True, text=True, check=False
    )
    address = killed.stdout.strip()
    psycopg.connect(address).close()
    sweep(parent)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
    assert list(parent.iterdir()) == []


def test_the_files_of_a_living_process_are_left_alone(parent: Path) -> None:
    folder = left_behind(parent, os.getpid(), ended())
    sweep(parent)
    assert (folder / "data" / "postmaster.pid").exists()


def test_a_process_that_only_has_the_number_of_a_server_is_not_ended(parent: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        left_behind(parent, ended(), bystander.pid)
        sweep(parent)
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert bystander.returncode == 0
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("number", ["", "not a number", -1, 10**12])
def test_a_server_that_tells_no_number_of_a_process_has_only_files_to_remove(parent: Path, number: object) -> None:
    left_behind(parent, ended(), number)
    sweep(parent)
    assert list(parent.iterdir()) == []


def test_folders_of_others_are_left_alone(parent: Path) -> None:
    others = [left_behind(parent, maker, ended()) for maker in ("who", "1x", "-")]
    sweep(parent)
    assert all(folder.exists() for folder in others)
