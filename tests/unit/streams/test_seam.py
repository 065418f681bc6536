"""Every seam of faust, mode and aiokafka that we stand on, by name: a new release that moves one fails here first."""

import inspect
from pathlib import Path

import aiokafka
import faust
import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError, TopicAuthorizationFailedError
from faust.app.base import App
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streams import seam
from streams.seam import FaustIntake, FramePlan

SEAMS = [
    (App, "_new_transport"),
    (App, "_on_partitions_revoked"),
    (TableManager, "recovery"),
    (Recovery, "on_rebalance"),
    (Recovery, "_restart_recovery"),
    (Recovery, "_slurp_changelogs"),
    (Recovery, "on_recovery_completed"),
    (Recovery, "_set_recovery_started"),
    (Recovery, "_set_recovery_ended"),
    (Recovery, "_wait"),
    (Consumer, "_wait_next_records"),
    (Consumer, "getmany"),
    (Consumer, "perform_seek"),
    (Consumer, "on_buffer_full"),
    (Consumer, "commit"),
    (driver.Consumer, "_new_consumer_thread"),
    (driver.Consumer, "_new_topicpartition"),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer"),
    (driver.AIOKafkaConsumerThread, "_fetch_records"),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer"),
    (driver.AIOKafkaConsumerThread, "call_thread"),
    (Fetcher, "fetched_records"),
    (SubscriptionState, "subscription"),
    (Service, "crash"),
]


@pytest.mark.parametrize(("owner", "name"), SEAMS, ids=lambda one: getattr(one, "__name__", one))
def test_a_seam_exists(owner: type, name: str) -> None:
    assert hasattr(owner, name)


def test_the_releases_are_those_the_seams_were_read_in() -> None:
    assert (faust.__version__, aiokafka.__version__) == ("0.15.3", "0.14.0")


def test_faust_still_drops_messages_without_the_current_generation() -> None:
    source = Path(inspect.getfile(faust)).with_name("_cython").joinpath("streams.pyx").read_text(encoding="utf-8")
    assert "message.generation_id != self.app.consumer_generation_id" in source


def test_the_fetch_takes_partitions_timeout_and_limit() -> None:
    assert list(inspect.signature(Fetcher.fetched_records).parameters) == [
        "self",
        "partitions",
        "timeout",
        "max_records",
    ]


def test_isolation_is_set_where_aiokafka_reads_it_at_start() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "isolation_level=self._isolation_level" in source


def test_out_of_range_tells_which_positions() -> None:
    (offsets,) = OffsetOutOfRangeError({("topic", 0): 7}).args
    assert offsets == {("topic", 0): 7}


def test_the_app_is_built_as_the_engine_needs_it(tmp_path: Path) -> None:
    intake = FaustIntake(
        FramePlan(
            bootstrap_servers="one:9092,two:9092",
            application="renewals",
            prefix="x.",
            partitions=4,
            session_timeout_ms=6_000,
            data_folder=tmp_path,
        )
    )
    intake.attach(object())  # type: ignore[arg-type]  # nobody is called before `run`
    app = intake.app
    assert app.conf.id == "x.renewals"
    assert [str(url) for url in app.conf.broker] == ["kafka://one:9092", "kafka://two:9092"]
    assert app.conf.consumer_auto_offset_reset == "none"
    assert not app.conf.web_enabled
    assert app.tables["state"].changelog_topic_name == "x.renewals-state-changelog"
    assert issubclass(app.transport.Consumer, seam.EngineConsumer)
    (agent,) = app.agents.values()
    assert agent.concurrency == 1


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (KafkaConnectionError("Unable to bootstrap"), "broker_unavailable"),
        (TopicAuthorizationFailedError("x"), "broker_refused"),
        (RuntimeError("x"), "crashed"),
    ],
)
def test_f05_the_end_of_the_frame_has_the_name_of_its_cause(reason: Exception, code: str) -> None:
    assert str(seam._ended(reason)).startswith(code)  # noqa: SLF001
