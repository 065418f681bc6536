"""The settings of the connectors: the only file here that reads the environment (`PERENNIAL_*`), checked at start."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import DEFAULT_PARTITIONS
from schemas.transport.settings import KafkaSettings


class SmtpSecurity(StrEnum):
    """How the conversation with the mail server is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class ConnectorSettings(BaseSettings):
    """What every connector process needs; each field is `PERENNIAL_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PERENNIAL_", frozen=True, extra="ignore")

    bootstrap_servers: str = Field(description="brokers as Kafka clients take them, host:port,host:port")
    redis_url: str = Field(description="shared volatile state: the contact store; may be flushed at any time")
    topic_prefix: str = Field(default="", description="keeps several systems apart on one cluster")
    application: str = Field(default="renewals", description="names consumer groups and transactional ids")
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=1000, description="co-partitions; fixed for ever")
    session_timeout_ms: int = Field(default=6_000, ge=1_000, description="a silent owner loses its partitions after")
    transaction_timeout_ms: int = Field(default=10_000, ge=1_000, le=60_000, description="what a crash leaves open")
    health_host: str = Field(default="127.0.0.1", description="where health and metrics are served")
    health_port: int = Field(default=0, ge=0, le=65_535, description="its port; 0 takes a free one, logged at start")
    master_key: SecretStr | None = Field(default=None, description="32 bytes in base64 that wrap all data keys")
    master_key_file: Path | None = Field(default=None, description="a file that holds it, instead")
    master_key_id: str = Field(default="local-1", description="name of the master key in wrapped data keys")
    region: str = Field(default="local", description="region whose master key this is")

    def kafka(self, client_id: str) -> KafkaSettings:
        """Client settings for this installation's cluster."""
        return KafkaSettings(
            bootstrap_servers=self.bootstrap_servers,
            client_id=client_id,
            topic_prefix=self.topic_prefix,
            session_timeout_ms=self.session_timeout_ms,
            transaction_timeout_ms=self.transaction_timeout_ms,
        )


class ChannelSettings(ConnectorSettings):
    """What a channel process needs besides; `smtp_*` concern the e-mail channel."""

    virtual_time: bool = Field(default=False, description="take `now` from heartbeats: demo, tests, training only")
    in_flight: int = Field(default=64, ge=1, le=1_000, description="W: calls between intent and result")
    allow_list: str = Field(default="", description="recipients a real server may get: a@d.com,*@d.com; `*` lifts it")
    contact_cache_rows: int = Field(default=20_000, ge=0, description="encrypted contacts kept for when Redis is away")
    smtp_host: str = Field(
        default="127.0.0.1",
        description="mail server; on loopback, off the mail ports, a simulator that needs no allow-list",
    )
    smtp_port: int = Field(default=25, ge=1, le=65_535, description="its port")
    smtp_security: SmtpSecurity = Field(default=SmtpSecurity.NONE, description="none, starttls or tls")
    smtp_username: str = Field(default="", description="login; empty for none")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="its password")
    smtp_timeout_ms: int = Field(default=10_000, ge=100, description="longest wait for any one answer")
    quick_tries: int = Field(default=2, ge=1, le=5, description="tries before a refusal by a busy server is reported")
    sender_address: str = Field(default="renewals@perennial.example", description="From address and envelope sender")
    sender_name: str = Field(default="Renewals", description="From name")
    unsubscribe_base_url: str = Field(
        default="https://unsubscribe.perennial.example/u", description="RFC 8058 door; the token is appended"
    )
    unsubscribe_key: SecretStr = Field(default=SecretStr("development"), description="secret of unsubscribe tokens")
    unsubscribe_key_id: str = Field(default="1", description="its name inside tokens, so that old ones stay valid")
    dkim_domain: str = Field(default="", description="signing domain; empty signs nothing")
    dkim_selector: str = Field(default="", description="selector of the DKIM key")
    dkim_key_file: Path | None = Field(default=None, description="private DKIM key, PEM")


class ContactsSettings(ConnectorSettings):
    """What the contacts process needs besides: nothing yet."""
