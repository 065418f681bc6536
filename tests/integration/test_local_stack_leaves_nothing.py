"""However the owner of a stack ends, no process and no folder stays (R61)."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local import probe
from deploy.local.standing import StandingPlan, down, find, up

WITHIN_MS = 30_000
OWNER = """
import json, signal, sys
from deploy.local.plan import Runtime, StackPlan
from deploy.local.stack import LocalStack
with LocalStack(StackPlan(runtime=Runtime.PROCESSES, brokers=int(sys.argv[1]), heap_mib=256)) as stack:
    services = [*stack.brokers, stack.redis]
    pids = [one.service.pid for one in services]
    print(json.dumps({"pids": pids, "folder": str(stack.redis.service.log.parent)}), flush=True)
    sys.stdin.read()
    raise SystemExit("the owner failed")
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone(seen: dict[str, Any]) -> bool:
    return not any(map(is_alive, seen["pids"])) and not Path(seen["folder"]).exists()


def an_owner(brokers: int) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(brokers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout
    seen: dict[str, Any] = json.loads(owner.stdout.readline())
    assert all(map(is_alive, seen["pids"]))
    return owner, seen


@pytest.mark.parametrize(
    ("ending", "brokers"),
    [
        pytest.param(signal.SIGKILL, 1, id="kill -9"),
        pytest.param(signal.SIGINT, 1, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 0, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 0, id="terminal closed"),
    ],
)
def test_a_signal_to_the_owner_leaves_nothing_behind(ending: signal.Signals, brokers: int) -> None:
    owner, seen = an_owner(brokers)
    os.killpg(owner.pid, ending)  # the whole group, as a terminal does
    owner.communicate(timeout=30)
    assert probe.wait_until(lambda: is_gone(seen), within_ms=WITHIN_MS)


def test_a_failing_owner_leaves_nothing_behind() -> None:
    owner, seen = an_owner(0)
    owner.communicate("", timeout=30)
    assert owner.returncode == 1
    assert is_gone(seen)


def test_a_killed_service_and_a_killed_owner_leave_nothing_behind() -> None:
    owner, seen = an_owner(0)
    os.kill(seen["pids"][-1], signal.SIGSTOP)
    owner.kill()
    owner.communicate(timeout=30)
    assert probe.wait_until(lambda: is_gone(seen), within_ms=WITHIN_MS)


def test_up_twice_gives_one_stack_and_down_ends_it(tmp_path: Path) -> None:
    first = up(StandingPlan(heap_mib=256), tmp_path)
    port = int(first.bootstrap_servers.rpartition(":")[2])
    try:
        assert up(folder=tmp_path) == first
        assert probe.brokers_alive(port) == 1
    finally:
        assert down(tmp_path) == first
    assert probe.brokers_alive(port) == 0
    assert find(tmp_path) is None
    assert down(tmp_path) is None


def test_the_state_file_of_a_killed_owner_is_not_believed(tmp_path: Path) -> None:
    standing = up(StandingPlan(brokers=0), tmp_path)
    os.kill(standing.owner_pid, signal.SIGKILL)
    assert probe.wait_until(lambda: find(tmp_path) is None, within_ms=WITHIN_MS)
    assert (tmp_path / "stack.json").exists()
