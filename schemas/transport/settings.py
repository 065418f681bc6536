"""What all Kafka clients of the system must agree on: acks, isolation, partitioner, timeouts, security."""

from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError

OnError = Callable[[KafkaError], None]
Plain = dict[str, str | int | float | bool]
Config = dict[str, str | int | float | bool | OnError]

_LOG_LEVEL = (
    2  # failures reach us as exceptions; librdkafka's own error lines would flood stderr while a broker is away
)
_QUEUE_RECORDS, _QUEUE_KIB = 1_000_000, 1_048_576
_LARGEST_RECORD_BYTES = 16 * 1024 * 1024  # topics set the real limit; the dead-letter topic's is the largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How to authenticate to the brokers; files are PEM paths."""

    protocol: str = "SSL"
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)

    def config(self) -> Plain:
        """Give the client's settings that are set."""
        named: Plain = {
            "security.protocol": self.protocol,
            "ssl.ca.location": self.ca_file,
            "ssl.certificate.location": self.certificate_file,
            "ssl.key.location": self.key_file,
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": self.sasl_password,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Where the brokers are and how patient we are.

    Attributes:
        bootstrap_servers: host:port, comma separated.
        topic_prefix: put before every topic, group and transactional id on the way out, taken off on the way in,
            so that several systems share a cluster.
        session_timeout_ms: a group member silent for longer loses its partitions (I9).
        transaction_timeout_ms: the coordinator aborts what is open for longer; brokers allow at most 60 s (I6).
        max_poll_interval_ms: a group member that does not poll for longer leaves the group.
        linger_ms: how long a producer waits to fill a request.
    """

    bootstrap_servers: str
    client_id: str = "perennial"
    topic_prefix: str = ""
    security: Security | None = None
    session_timeout_ms: int = 6_000
    transaction_timeout_ms: int = 10_000
    max_poll_interval_ms: int = 60_000
    linger_ms: int = 1

    def common(self) -> Plain:
        """Settings of every client."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": self.client_id,
            "log_level": _LOG_LEVEL,
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 2_000,
            **(self.security.config() if self.security else {}),
        }

    def producer(self) -> Config:
        """Settings of every producer; Java producers with the same keys reach the same partitions."""
        return {
            **self.common(),
            "error_cb": _leave_to_the_call,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": self.linger_ms,
            "message.max.bytes": _LARGEST_RECORD_BYTES,
            "queue.buffering.max.messages": _QUEUE_RECORDS,
            "queue.buffering.max.kbytes": _QUEUE_KIB,
        }

    def fenced_producer(self, transactional_id: str) -> Config:
        """Settings of a transactional producer."""
        return {
            **self.producer(),
            "transactional.id": self.topic_prefix + transactional_id,
            "transaction.timeout.ms": self.transaction_timeout_ms,
            "delivery.report.only.error": True,  # the commit vouches for the rest
        }

    def consumer(self, group: str) -> Config:
        """Settings of every consumer: committed records only, no silent reset, no commits of its own."""
        return {
            **self.common(),
            "error_cb": _leave_to_the_call,
            "group.id": self.topic_prefix + group,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 100,  # how long the end of a partition takes to show when only a marker lies there
            "fetch.error.backoff.ms": 100,
            "fetch.queue.backoff.ms": 100,
            "session.timeout.ms": self.session_timeout_ms,
            "heartbeat.interval.ms": self.session_timeout_ms // 3,
            "max.poll.interval.ms": max(self.max_poll_interval_ms, self.session_timeout_ms),
        }


def _leave_to_the_call(_error: KafkaError) -> None:
    """Take note of nothing: the call that an error concerns raises it, and without a callback so would any other."""
