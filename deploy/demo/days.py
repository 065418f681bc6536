"""The days of a run: a virtual clock in lock-step that publishes what happens on the way."""

import uuid
from collections.abc import Callable

from connectors.sources.publisher import Publisher
from deploy.demo.files import SCHEDULE
from deploy.demo.plan import WorldPlan
from deploy.demo.system import System
from deploy.schedule import Schedule, read_schedule
from streams import virtual_clock
from streams.settings import ClockSettings


def turn_the_days(system: System, plan: WorldPlan, ticked: Callable[[int], None]) -> None:
    """Run the clock from the first instant of the plan to its horizon; `ticked` hears every tick."""
    where = system.plan
    settings = ClockSettings(
        bootstrap_servers=where.bootstrap_servers,
        topic_prefix=where.topic_prefix,
        application=where.application,
        partitions=where.partitions,
    )
    with Publisher(system.kafka(), f"{where.application}-schedule-{uuid.uuid4()}") as publisher:
        dues = read_schedule(where.folder / "export" / SCHEDULE, system.ingestion())
        virtual_clock.run(
            settings,
            system.codec,
            start_ms=plan.start_ms,
            until_ms=plan.until_ms,
            schedule=Schedule(dues, publisher),
            on_tick=ticked,
        )
