"""The contacts process: wires the projection and runs it until SIGTERM."""

import asyncio
import signal

from redis.asyncio import Redis

from connectors.contacts.projection import Projection
from connectors.contacts.redis_store import RedisContactStore
from connectors.exits import named_exits
from connectors.health import HealthServer, Vitals
from connectors.metrics import ContactsMetrics
from connectors.settings import ContactsSettings
from schemas.codec import Codec, packaged_codec
from schemas.transport.positions import Positions
from schemas.transport.reader import PartitionReader

REDIS_TIMEOUT_S = 5.0


def run(settings: ContactsSettings, *, codec: Codec | None = None) -> None:
    """Keep the contact store level until SIGTERM or SIGINT."""
    with named_exits():
        asyncio.run(_run(settings, codec or packaged_codec()))


async def _run(settings: ContactsSettings, codec: Codec) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    kafka, metrics = settings.kafka("contacts"), ContactsMetrics()
    positions = Positions(kafka)
    redis = Redis.from_url(settings.redis_url, socket_timeout=REDIS_TIMEOUT_S)
    with PartitionReader(kafka) as reader:
        projection = Projection(
            store=RedisContactStore(redis, prefix=settings.topic_prefix),
            reader=reader,
            ends=positions.end_offsets,
            beginnings=positions.beginning_offsets,
            codec=codec,
            partitions=settings.partitions,
            metrics=metrics,
        )
        vitals = Vitals(
            is_live=lambda: True,
            is_ready=lambda: projection.is_level,
            registry=metrics.registry,
            refresh=lambda: None,
        )
        with HealthServer(vitals, host=settings.health_host, port=settings.health_port):
            await projection.run(stopped)
    await redis.aclose()
