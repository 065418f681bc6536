"""The settings of the stream edge: the only file here that reads the environment (`PERENNIAL_*`), checked at start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import DEFAULT_PARTITIONS
from schemas.transport.settings import KafkaSettings, Security

_CONFIG = SettingsConfigDict(env_prefix="PERENNIAL_", frozen=True, extra="ignore")


class _Cluster(BaseSettings):
    """Where Kafka is and what is ours there."""

    model_config = _CONFIG

    bootstrap_servers: str = Field(description="brokers, host:port,host:port")
    topic_prefix: str = Field(default="", description="keeps several systems apart on one cluster")
    application: str = Field(default="renewals", description="names group, changelog and transactional ids")
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=1000, description="co-partitions; fixed for ever")
    health_port: int = Field(
        default=0, ge=0, le=65535, description="loopback port of /live /ready /metrics; 0: a free one"
    )
    state_dir: Path = Field(default=Path(".perennial"), description="folder of local stores and port files")
    transaction_timeout_ms: int = Field(
        default=10_000, ge=1_000, le=60_000, description="brokers allow at most 60 s (I6)"
    )
    session_timeout_ms: int = Field(
        default=6_000, ge=1_000, description="a worker silent for longer loses its partitions"
    )
    security_protocol: str = Field(default="", description="empty: plaintext; else SSL, SASL_SSL, SASL_PLAINTEXT")
    ssl_ca_file: str = Field(default="", description="PEM file of the brokers' authority")
    ssl_certificate_file: str = Field(default="", description="PEM file of our certificate")
    ssl_key_file: str = Field(default="", description="PEM file of our key")

    def kafka(self, client_id: str) -> KafkaSettings:
        """Client settings for this cluster; the prefix is put on and taken off in this room."""
        security = Security(
            protocol=self.security_protocol,
            ca_file=self.ssl_ca_file,
            certificate_file=self.ssl_certificate_file,
            key_file=self.ssl_key_file,
        )
        return KafkaSettings(
            bootstrap_servers=self.bootstrap_servers,
            client_id=client_id,
            security=security if self.security_protocol else None,
            session_timeout_ms=self.session_timeout_ms,
            transaction_timeout_ms=self.transaction_timeout_ms,
        )


class WorkerSettings(_Cluster):
    """One worker process."""

    virtual_time: bool = Field(
        default=False, description="believe ticks whatever the broker's clock says (demo, tests)"
    )
    tick_chunk: int = Field(default=1_000, ge=1, description="customers woken in one transaction")
    backlog_records: int = Field(default=6_000, ge=1, description="records that may wait for a co-partition")
    commit_threads: int = Field(default=32, ge=1, description="transactions that may be under way at once")
    instance_id: str = Field(default="", description="static group membership, for rolling restarts; empty: none")
    operators_public_key: str = Field(
        default="", description="base64 X25519 key that seals dead letters; empty: unsealed"
    )
    previous_exit: str = Field(default="", description="set by the supervisor: how the last process ended")
    failpoints: str = Field(default="", description="tests only: name=action@nth, comma separated")


class ClockSettings(_Cluster):
    """One clock process."""

    tick_ms: int = Field(default=1_000, ge=50, description="between two ticks")
    clock_id: str = Field(default="", description="names the clock in its ticks; empty: host and process")
