"""From the topics of a finished run to its account and the manifest of its bundle."""

from importlib import metadata

from connectors.queries.decisions import all_decisions
from connectors.queries.topic_records import records_in
from deploy.demo.account import Account, DomainTime, account_of
from deploy.demo.bundle import Manifest
from deploy.demo.inbox import accepted_mails
from deploy.demo.plan import WorldPlan
from deploy.demo.system import System
from schemas.events import Tick
from schemas.outputs import SendTouch
from schemas.topics import TICK, command_topic
from schemas.vocabulary import Channel

_VERSIONED = ("perennial", "confluent-kafka", "faust-streaming", "rocksdict", "msgspec")


def account_of_run(system: System, plan: WorldPlan) -> Account:
    """Read decisions, commands, ticks and the inbox, and settle the account."""
    kafka, partitions, codec = system.kafka(), system.plan.partitions, system.codec
    tick, command = codec.decoder(Tick), codec.decoder(SendTouch)
    clock = DomainTime()
    clock.learn((record.appended_at_ms, tick(record.value)) for record in records_in(kafka, TICK, partitions))
    commands = (command(record.value) for record in records_in(kafka, command_topic(Channel.EMAIL), partitions))
    decisions = tuple(all_decisions(kafka, codec, partitions))
    return account_of(decisions, commands, accepted_mails(system.inbox), clock, plan.until_ms)


def manifest_of(system: System, plan: WorldPlan, *, started_at_ms: int, fed_twice_from_ms: int) -> Manifest:
    """Say what the run was."""
    return Manifest(
        seed=plan.seed,
        days=plan.days,
        customers=plan.customers,
        application=system.plan.application,
        partitions=system.plan.partitions,
        is_virtual=system.plan.is_virtual,
        channels=(Channel.EMAIL.value,),
        started_at_ms=started_at_ms,
        horizon_ms=plan.until_ms,
        tzdata=metadata.version("tzdata"),
        versions={name: metadata.version(name) for name in _VERSIONED},
        session_timeout_ms=system.plan.session_timeout_ms,
        delivery_class={Channel.EMAIL.value: "at_least_once"},
        in_flight=system.plan.in_flight,
        fed_twice_from_ms=fed_twice_from_ms,
    )
