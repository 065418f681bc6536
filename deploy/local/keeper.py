"""The watchdog of a local stack: a process of its own that clears up when its parent is gone, however that went.

The parent holds the other end of standard input. Its end, or a new parent of ours, means that the parent is dead
or done: every process group written into `pids/` is killed and the private folder removed. A parent-death signal
would not do: on Linux it follows the thread that forked, not the process. Runs without site packages.
"""

import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

PIDS = "pids"
_LOOK_EVERY_S = 0.5
_SETTLE_S = 0.3  # a child that was being forked when its parent died writes its id within this


def keep(folder: Path, parent: int) -> None:
    """Wait for the end of `parent`, then leave nothing of the stack in `folder` behind."""
    while os.getppid() == parent and not _is_closed():
        pass
    deadline = time.monotonic() + _SETTLE_S
    while _kill_all(folder / PIDS) or time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _is_closed() -> bool:
    readable, _, _ = select.select([0], [], [], _LOOK_EVERY_S)
    return bool(readable) and not os.read(0, 1)


def _kill_all(pids: Path) -> int:
    """Kill every group that still lives; return how many there were."""
    alive = 0
    for file in pids.glob("*.pid"):
        try:
            os.killpg(int(file.read_text() or "0") or 2**30, signal.SIGKILL)
            alive += 1
        except (ProcessLookupError, FileNotFoundError, PermissionError, OverflowError):
            file.unlink(missing_ok=True)
    return alive


if __name__ == "__main__":
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(Path(sys.argv[1]), int(sys.argv[2]))
