"""A stack that outlives the command that starts it: what `perennial up` and `perennial down` call.

A detached process owns the stack and holds a lock beside the state file for as long as it lives, so a state file
left by a killed owner is never believed.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local import probe
from deploy.local.errors import StackFailed
from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack

STATE_FOLDER = Path(".perennial")
_STATE, _LOCK, _LOG = "stack.json", "stack.lock", "stack.log"
_DOWN_WITHIN_MS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingStack:
    """Addresses of a stack that stands, and the process that owns it."""

    bootstrap_servers: str
    redis_url: str
    owner_pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPlan:
    """The part of a plan that makes sense for hand work."""

    brokers: int = 1
    heap_mib: int = 1024
    redis_appends: bool = False


def up(plan: StandingPlan | None = None, folder: Path = STATE_FOLDER) -> StandingStack:
    """Start a stack that stays, or return the one that already stands for `folder`; safe to call twice at once."""
    if standing := find(folder):
        return standing
    folder.mkdir(parents=True, exist_ok=True)
    owner = _launch(plan or StandingPlan(), folder)
    probe.wait_until(
        lambda: find(folder) is not None or owner.poll() not in {None, 0}, within_ms=StackPlan().ready_within_ms
    )
    if standing := find(folder):
        return standing
    message = f"the local stack did not come up:\n{(folder / _LOG).read_text()[-3000:]}"
    raise StackFailed(message)


def down(folder: Path = STATE_FOLDER) -> StandingStack | None:
    """Stop the stack that stands for `folder` and return what it was, or None when there is none."""
    standing = find(folder)
    if standing is None:
        return None
    os.kill(standing.owner_pid, signal.SIGTERM)
    if not probe.wait_until(lambda: not _is_held(folder), within_ms=_DOWN_WITHIN_MS):
        os.kill(standing.owner_pid, signal.SIGKILL)  # its keeper clears up
    return standing


def find(folder: Path = STATE_FOLDER) -> StandingStack | None:
    """Return the stack that stands for `folder`, None when its owner is gone."""
    try:
        content = json.loads((folder / _STATE).read_text())
    except FileNotFoundError:
        return None
    return StandingStack(**content) if _is_held(folder) else None


def _launch(plan: StandingPlan, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "deploy.local.standing", str(folder.resolve()), json.dumps(asdict(plan))]
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _own(folder: Path, plan: StandingPlan) -> None:
    """Run the stack until SIGTERM; do nothing when another owner holds the lock."""
    with _held(folder) as first:
        if not first:
            return
        try:
            _run(folder, plan)
        finally:
            (folder / _STATE).unlink(missing_ok=True)


def _run(folder: Path, plan: StandingPlan) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with LocalStack(StackPlan(**asdict(plan))) as stack:
        standing = StandingStack(
            bootstrap_servers=stack.bootstrap_servers, redis_url=stack.redis_url, owner_pid=os.getpid()
        )
        fresh = folder / f"{_STATE}.fresh"
        fresh.write_text(json.dumps(asdict(standing), indent=2))
        fresh.rename(folder / _STATE)
        while True:
            signal.pause()


def _leave(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _is_held(folder: Path) -> bool:
    if not (folder / _LOCK).exists():
        return False
    with _held(folder) as free:
        return not free


if __name__ == "__main__":
    _own(Path(sys.argv[1]), StandingPlan(**json.loads(sys.argv[2])))
