"""A channel's process: wires log, provider, contacts and clock, and runs the loop until SIGTERM."""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import Callable
from importlib.resources import files

import structlog
import uvloop
from redis.asyncio import Redis

from connectors.allow_list import is_simulator, parse_allow_list
from connectors.channels.email import EmailChannel, Letterhead
from connectors.contacts.book import ContactBook
from connectors.contacts.master_key import master_key_from
from connectors.contacts.redis_store import RedisContactStore
from connectors.delivery.fence_tail import FenceTail
from connectors.delivery.kafka_log import KafkaLog, LogNames
from connectors.delivery.loop import DeliveryLoop
from connectors.exits import named_exits
from connectors.fences import Clock, VirtualClock, WallClock
from connectors.health import HealthServer, Vitals
from connectors.mail.connections import Connections, MailServer
from connectors.mail.message import Sender
from connectors.mail.signing import signer_from
from connectors.metrics import DeliveryMetrics
from connectors.ports import Contacts
from connectors.settings import ChannelSettings
from connectors.trouble import Trouble
from connectors.unsubscribe import TokenMint
from processors.rendering import Templates
from schemas.codec import Codec, packaged_codec
from schemas.errors import ExitCode, ExitError, SchemaUnavailable
from schemas.failpoints import active
from schemas.transport.positions import Positions
from schemas.vocabulary import Channel

REDIS_TIMEOUT_S = 0.5
ASK_AGAIN_S = 0.5
_log = structlog.get_logger(__name__)


def run(channel: Channel, settings: ChannelSettings, *, codec: Codec | None = None) -> None:
    """Deliver a channel's commands until SIGTERM or SIGINT; raises ExitError for a broken promise."""
    with named_exits():
        uvloop.run(_run(channel, settings, codec or packaged_codec()))


async def _run(channel: Channel, settings: ChannelSettings, codec: Codec) -> None:
    kafka, metrics = settings.kafka(f"channel-{channel.value}"), DeliveryMetrics(channel)
    redis = Redis.from_url(settings.redis_url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S)
    contacts = ContactBook(
        RedisContactStore(redis, prefix=settings.topic_prefix),
        master=master_key_from(settings),
        ends=Positions(kafka).end_offsets,
        partitions=settings.partitions,
        metrics=metrics,
        cache_rows=settings.contact_cache_rows,
    )
    try:
        await _deliver(settings, channel, codec, contacts, metrics)
    finally:
        await redis.aclose()


async def _deliver(
    settings: ChannelSettings, channel: Channel, codec: Codec, contacts: Contacts, metrics: DeliveryMetrics
) -> None:
    names = process_names(settings.application, channel)
    clock: Clock = VirtualClock() if settings.virtual_time else WallClock()
    kafka = settings.kafka(f"channel-{channel.value}")
    tail = FenceTail(kafka, codec=codec, on_erased=contacts.forget)
    loop = DeliveryLoop(
        log=await _once_told(lambda: KafkaLog(kafka, names=names, codec=codec, fences=tail, metrics=metrics)),
        provider=provider_for(channel, settings),
        contacts=contacts,
        clock=clock,
        metrics=metrics,
        owner=names.transactional_id,
        in_flight=settings.in_flight,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, loop.stop)
    if active():
        _log.warning("failpoints_armed", names=active())
    vitals = Vitals(is_live=loop.is_turning, is_ready=loop.is_joined, registry=metrics.registry, refresh=loop.measure)
    with HealthServer(vitals, host=settings.health_host, port=settings.health_port):
        await loop.run()


async def _once_told(build: Callable[[], KafkaLog]) -> KafkaLog:
    """Build the log as soon as the registry tells under which schemas it is to write."""
    waiting = Trouble("schema_waiting")
    while True:
        try:
            log = build()
        except SchemaUnavailable as away:
            waiting.met(away)
            await asyncio.sleep(ASK_AGAIN_S)
        else:
            waiting.over()
            return log


def process_names(application: str, channel: Channel) -> LogNames:
    """Names of one process of a channel: the group is shared, the transactional id is this process's own."""
    group = f"{application}-channel-{channel.value}"
    one = f"{group}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return LogNames(channel=channel, group=group, transactional_id=one)


def provider_for(channel: Channel, settings: ChannelSettings) -> EmailChannel:
    """Build a channel's provider; ExitError for a channel that this release does not have."""
    if channel is not Channel.EMAIL:
        raise ExitError(ExitCode.SETTINGS_INVALID, f"there is no channel {channel.value!r} in this release; try email")
    is_real = not is_simulator(settings.smtp_host, settings.smtp_port)
    if is_real and "unsubscribe_key" not in settings.model_fields_set:
        raise ExitError(ExitCode.SETTINGS_INVALID, "set PERENNIAL_UNSUBSCRIBE_KEY before mail goes to a real server")
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        timeout_ms=settings.smtp_timeout_ms,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
    )
    letterhead = Letterhead(
        sender=Sender(address=settings.sender_address, name=settings.sender_name),
        templates=packaged_templates(),
        tokens=TokenMint(
            key_id=settings.unsubscribe_key_id, secret=settings.unsubscribe_key.get_secret_value().encode()
        ),
        unsubscribe_base_url=settings.unsubscribe_base_url,
        allow_list=parse_allow_list(settings.allow_list) if is_real else None,
        signer=signer_from(
            domain=settings.dkim_domain, selector=settings.dkim_selector, key_file=settings.dkim_key_file
        ),
    )
    return EmailChannel(
        Connections(server), letterhead, timeout_ms=settings.smtp_timeout_ms, quick_tries=settings.quick_tries
    )


def packaged_templates() -> Templates:
    """The template texts of this release, checked."""
    folder = files("processors") / "templates"
    texts = {
        one.name.removesuffix(".j2"): one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".j2")
    }
    return Templates(texts)
