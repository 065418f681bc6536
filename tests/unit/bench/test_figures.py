"""Rounds into figures."""

import pytest

from tests.bench.figures import Row, Spread, percentile, ratio_row
from tests.bench.hardware import busy_warning
from tests.bench.latency import NOT_MEASURED, Latency
from tests.bench.micro import Micro
from tests.bench.report import Findings, table, verdict
from tests.bench.round import Measured
from tests.bench.throughput import Throughput


def a_run(system: str, wall_s: float, *failed: str) -> Measured:
    return Measured(system=system, records=1_000, covered=900.0, wall_s=wall_s, cpu_s=wall_s / 2, failed=failed)


RUNS = (
    a_run("hand_loop", 1.0),
    a_run("engine", 1.25),
    a_run("faust", 12.0),
    a_run("hand_loop", 2.0),
    a_run("engine", 0.1, "3 outputs lost"),
    a_run("faust", 13.0),
)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)], ids=str)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile(range(100, 0, -1), share) == value


def test_a_ratio_is_ours_over_the_peers_and_missing_where_one_is_missing() -> None:
    ours, theirs = Spread.of([80.0, 100.0, 90.0]), Spread.of([45.0])
    assert ratio_row("r", ours, "peer", theirs, "events/s").ratio == 2.0
    assert ratio_row("r", None, "peer", theirs, "events/s").ratio is None
    assert ratio_row("r", ours, "peer", None, "events/s").ratio is None


def test_void_runs_count_for_nothing_but_are_told() -> None:
    throughput = Throughput(runs=RUNS)
    assert throughput.wall("engine") == Spread(median=720.0, least=720.0, most=720.0)
    assert throughput.ours_is_void()
    rows = {row.name: row for row in throughput.rows()}
    assert rows["engine_vs_hand_loop"].ratio == pytest.approx(720 / 675, abs=0.001)
    assert rows["engine_vs_faust"].peer_value == pytest.approx(72.1, abs=0.1)
    assert "engine_vs_quix" not in rows
    findings = Findings(seed=1, hardware="", warning="", throughput=throughput, latency=NOT_MEASURED, micro=Micro())
    assert "- engine: 3 outputs lost" in table(findings)


def test_a_system_whose_every_run_is_void_has_no_figure() -> None:
    throughput = Throughput(runs=(a_run("engine", 1.0, "1 wrong states"), a_run("hand_loop", 1.0)))
    rows = {row.name: row for row in throughput.rows()}
    assert rows["engine_events_per_second"].value is None
    assert rows["engine_vs_hand_loop"].ratio is None


def test_latency_that_failed_a_check_has_no_percentiles() -> None:
    good = Latency(samples_ms=(10.0, 20.0, 30.0), cores=0.251)
    assert [row.value for row in good.rows()] == [20.0, 30.0, 30.0, 0.25]
    assert [row.value for row in Latency(samples_ms=(10.0,), failed=("1 outputs lost",)).rows()] == [None] * 4
    assert list(NOT_MEASURED.rows()) == []


def test_a_figure_is_set_beside_its_target() -> None:
    assert verdict(Row(name="engine_vs_hand_loop", value=1.0, unit="", peer="hand_loop", ratio=0.81)) == ">= 0.8: met"
    assert verdict(Row(name="engine_vs_hand_loop", value=1.0, unit="", peer="hand_loop", ratio=0.79)).endswith("MISSED")
    assert verdict(Row(name="decision_latency_ms_p95", value=500.0, unit="ms")) == "< 500: MISSED"
    assert verdict(Row(name="step_wake_us", value=38.0, unit="us", peer="empty_step", ratio=60.0)) == "<= 50: met"
    assert verdict(Row(name="engine_vs_quix", value=None, unit="", peer="quix")) == "> 1: not measured"
    assert verdict(Row(name="faust_events_per_second", value=4_000.0, unit="events/s")) == ""


def test_a_machine_that_was_busy_before_is_told() -> None:
    assert busy_warning(0.9, 2) == ""
    assert "load average 7.5 on 2 cores" in busy_warning(7.5, 2)


def test_the_table_names_why_a_run_is_void_without_its_log() -> None:
    died = a_run("engine", 1.0, "ended by itself with status 1; the end of its log:\nTraceback")
    findings = Findings(
        seed=1, hardware="", warning="", throughput=Throughput(runs=(died,)), latency=NOT_MEASURED, micro=Micro()
    )
    assert table(findings).endswith("- engine: ended by itself with status 1")
