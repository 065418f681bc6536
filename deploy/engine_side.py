"""Composition of the engine's side: worker and clocks, from their settings."""

import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from connectors.sources.publisher import Publisher
from deploy.publishing import ingestion_of
from deploy.schedule import ClockStoodStill, Schedule, read_schedule
from deploy.settings import installation, settings_of
from schemas.errors import ExitCode, ExitError
from streams import clock, supervisor, virtual_clock, worker
from streams.renewals import RenewalBrain
from streams.settings import ClockSettings, WorkerSettings


def run_worker() -> int:
    """Run one worker until it is told to stop; the status names why it ended."""
    settings = settings_of(WorkerSettings)
    return worker.run(settings, RenewalBrain(installation().codec()))


def supervise(*arguments: str) -> int:
    """Run `perennial ARGUMENTS` and start it again after a crash."""
    state_dir = settings_of(WorkerSettings).state_dir
    return supervisor.supervise([sys.executable, "-m", "deploy.cli", *arguments], state_dir=state_dir)


def run_clock() -> int:
    """Tell the time until told to stop."""
    return clock.run(settings_of(ClockSettings), installation().codec())


def run_virtual_clock(schedule: Path | None, start: datetime | None, end: datetime | None) -> None:
    """Jump from alarm to alarm, publishing scheduled inputs on the way, until every partition has reached the end."""
    if start is None or end is None or start >= end:
        raise ExitError(ExitCode.SETTINGS_INVALID, "a virtual clock needs --from and a later --until, both UTC")
    here = installation()
    with Publisher(here.kafka("schedule"), f"{here.application}-schedule-{uuid.uuid4()}") as publisher:
        dues = read_schedule(schedule, replace(ingestion_of(here), now_ms=None)) if schedule else ()
        try:
            virtual_clock.run(
                settings_of(ClockSettings),
                here.codec(),
                start_ms=_utc_ms(start),
                until_ms=_utc_ms(end),
                schedule=Schedule(dues, publisher),
            )
        except virtual_clock.LockStepBroken as stuck:
            advice = (
                "are worker, channel and contacts running with PERENNIAL_VIRTUAL_TIME=true (`perennial run --virtual`)?"
            )
            raise ClockStoodStill(f"{stuck}; {advice}") from stuck


def _utc_ms(instant: datetime) -> int:
    return int(instant.replace(tzinfo=UTC).timestamp()) * 1000
