"""The report: one file that needs nothing else, and in which no name can break the page."""

import re
import shlex
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from deploy.demo.account import Account, Mail
from deploy.demo.export import generate
from deploy.demo.plan import WorldPlan
from deploy.demo.report import Course, Kill, judge_command, spelled_duration, write_report
from deploy.demo.samples import PLANTED, Sample
from schemas.identity import TouchKey

WORLD = generate(WorldPlan(customers=20, days=10))
ACCOUNT = Account(
    due=5,
    counts={"sent": 3, "suppressed": 2, "expired": 0, "dead_lettered": 0, "quarantined": 0, "pending": 0, "unknown": 0},
    reasons={"paid": 2},
    imbalance=0,
    lateness_ms=[0, 0, 300_000],
    by_day={date(2026, 2, 3): {"sent": 3, "suppressed": 2}},
    mails=3,
)
COURSE = Course(
    ticks=1_234,
    seconds=99.5,
    kills=[Kill(target="worker-1", kind="kill -9", day=date(2026, 2, 6), seconds=8.2)],
)


@pytest.fixture
def page(tmp_path: Path) -> str:
    mail = Mail(
        key=TouchKey("K|T|t7|email|0"),
        attempt=1,
        received_ms=0,
        recipient="a@b.example",
        subject="<script>alert(1)</script> A&B",
        text='שלום "quoted" <b>',
    )
    path = tmp_path / "report.html"
    write_report(path, WORLD, ACCOUNT, COURSE, [Sample(mail=mail, remark=PLANTED)])
    return path.read_text(encoding="utf-8")


def test_the_page_loads_nothing_from_anywhere(page: str) -> None:
    assert re.findall(r"(?:src|href|url)\s*[=(]|@import|https?://", page) == []


def test_no_name_can_break_the_page(page: str) -> None:
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; A&amp;B" in page
    assert "שלום" in page


def test_the_page_shows_the_days_the_payments_and_the_kill(page: str) -> None:
    assert "Tue 2026-02-03: 3 sent" in page
    assert "2026-02-06: worker-1: kill -9" in page
    assert "the balance is zero" in page
    assert re.search(r"2026-02-\d\d: \d+ payments", page)


@pytest.mark.parametrize(("duration_ms", "spelled"), [(0, "0 ms"), (1_500, "1.5 s"), (300_000, "5 min")])
def test_a_duration_reads_well(duration_ms: int, spelled: str) -> None:
    assert spelled_duration(duration_ms) == spelled


def test_a_first_day_that_dwarfs_all_others_is_cut_and_its_sum_written(tmp_path: Path) -> None:
    days = {date(2026, 2, 2): {"sent": 10, "suppressed": 990}, date(2026, 2, 3): {"sent": 40, "suppressed": 10}}
    path = tmp_path / "report.html"
    write_report(path, WORLD, replace(ACCOUNT, by_day=days), COURSE, [])
    page = path.read_text(encoding="utf-8")
    assert "↑ 1,000" in page
    heights = [float(found) for found in re.findall(r'width="[\d.]+" height="([\d.]+)" fill="var\(--sent\)"', page)]
    assert max(heights) > 100
    assert min(heights) < 5  # one in a hundred of the bar that is cut


def test_a_hostile_name_is_said_to_be_planted(page: str) -> None:
    assert PLANTED in page


def test_large_numbers_are_readable(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, replace(WORLD, plan=replace(WORLD.plan, customers=1_000)), ACCOUNT, COURSE, [])
    assert "<h1>1,000 customers" in path.read_text(encoding="utf-8")


def test_the_judge_is_called_so_that_a_shell_finds_the_folder() -> None:
    assert shlex.split(judge_command(Path("/srv/my demo")))[1:] == ["-m", "tests.oracle", "/srv/my demo"]
