"""A fleet: processes of ours by name, ended with the block, and missed when they end by themselves."""

from pathlib import Path

import pytest

from deploy.processes import ChildEnded, Fleet

WAITS = "import os, signal; print(os.environ['WHO'], flush=True); signal.pause()"


def test_leaving_the_block_ends_every_process() -> None:
    with Fleet({"WHO": "nobody"}) as fleet:
        members = [fleet.python(name, "-c", WAITS, WHO=name) for name in ("a", "b")]
        fleet.check()
        assert all(member.is_running() for member in members)
    assert not any(member.is_running() for member in members)


def test_a_process_that_ends_by_itself_is_missed_with_its_last_words(tmp_path: Path) -> None:
    with Fleet({}) as fleet:
        member = fleet.python("worker-1", "-c", "print('last words'); raise SystemExit(3)")
        assert member.end() == 3
        with pytest.raises(ChildEnded, match=r"worker-1 ended by itself \(status 3\):\nlast words"):
            fleet.check()
        fleet.keep_logs(tmp_path / "logs")
    assert (tmp_path / "logs" / "worker-1.log").read_text(encoding="utf-8") == "last words\n"


def test_a_killed_process_can_be_started_again_under_its_name() -> None:
    with Fleet({"WHO": "x"}) as fleet:
        first = fleet.python("worker-1", "-c", WAITS)
        first.kill()
        assert first.end() == -9
        second = fleet.python("worker-1", "-c", WAITS)
        fleet.check()
        assert second.pid != 0
