"""The days of a run: a virtual clock in lock-step that publishes what happens on the way."""

import uuid
from collections.abc import Callable, Iterable

from connectors.sources.publisher import Publisher
from deploy.demo.files import SCHEDULE
from deploy.demo.plan import WorldPlan
from deploy.demo.system import System
from deploy.schedule import ClockStoodStill, Due, Schedule, read_schedule
from streams import virtual_clock
from streams.settings import ClockSettings

PATIENCE_MS = 60_000


def turn_the_days(system: System, plan: WorldPlan, ticked: Callable[[int], None]) -> None:
    """Run the clock from the first instant of the plan to its horizon; `ticked` hears every tick.

    Raises:
        ChildEnded: a process of the system is gone and nobody started it again.
        ClockStoodStill: all are there, but one does not get on; the message says which partition waits for what.
    """
    dues = read_schedule(system.plan.folder / "export" / SCHEDULE, system.ingestion())
    turn(system, from_ms=plan.start_ms, until_ms=plan.until_ms, dues=dues, ticked=ticked)


def turn(
    system: System,
    *,
    from_ms: int,
    until_ms: int,
    dues: Iterable[Due] = (),
    ticked: Callable[[int], None] = lambda _tick_ms: None,
) -> None:
    """Run the clock between two instants; raises as `turn_the_days`."""
    where = system.plan
    settings = ClockSettings(
        bootstrap_servers=where.bootstrap_servers,
        topic_prefix=where.topic_prefix,
        application=where.application,
        partitions=where.partitions,
    )
    with Publisher(system.kafka(), f"{where.application}-schedule-{uuid.uuid4()}") as publisher:
        try:
            virtual_clock.run(
                settings,
                system.codec,
                start_ms=from_ms,
                until_ms=until_ms,
                schedule=Schedule(dues, publisher),
                on_tick=ticked,
                patience_ms=PATIENCE_MS,
            )
        except virtual_clock.LockStepBroken as stuck:
            system.fleet.check()
            raise ClockStoodStill(f"{stuck}; the processes' logs tell why") from stuck
