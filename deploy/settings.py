"""Where the installation is, for commands and composition: the environment, else what `perennial up` keeps."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.registry import HttpRegistry
from deploy.local.standing import STATE_FOLDER, find
from schemas.codec import Codec, packaged_codec
from schemas.errors import ExitCode, ExitError
from schemas.topics import DEFAULT_PARTITIONS
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel

PREFIX = "PERENNIAL_"
_STANDING = "environment.json"
_Settings = TypeVar("_Settings", bound=BaseSettings)


class Installation(BaseSettings):
    """One Perennial system: its cluster, its Redis, its names. Every field is `PERENNIAL_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    bootstrap_servers: str = Field(description="brokers as Kafka clients take them, host:port,host:port")
    redis_url: str = Field(default="", description="shared volatile state; empty where a command needs none")
    topic_prefix: str = Field(default="", description="keeps several systems apart on one cluster")
    application: str = Field(default="renewals", description="names consumer groups, the changelog, transactional ids")
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=1000, description="co-partitions; fixed for ever")
    channels: tuple[Channel, ...] = Field(default=(Channel.EMAIL,), description="channels that have topics")
    state_dir: Path = Field(default=STATE_FOLDER, description="folder of local stores, keys and inboxes")
    smtp_host: str = Field(default="127.0.0.1", description="mail server of the e-mail channel")
    smtp_port: int = Field(default=0, ge=0, le=65535, description="its port; 0 where a command needs none")
    failpoints: str = Field(default="", description="tests only: name=action@nth, comma separated")
    schema_registry_url: str = Field(
        default="", validation_alias="SCHEMA_REGISTRY_URL", description="else packaged ids"
    )

    def kafka(self, client_id: str = "perennial") -> KafkaSettings:
        """Client settings for this installation's cluster."""
        return KafkaSettings(
            bootstrap_servers=self.bootstrap_servers, client_id=client_id, topic_prefix=self.topic_prefix
        )

    def codec(self) -> Codec:
        """Records as bytes, ids from the registry where one is named, else from the packaged file."""
        if not self.schema_registry_url:
            return packaged_codec()
        return Codec(HttpRegistry(self.schema_registry_url, now_ms=now_ms))


def now_ms() -> int:
    """The wall clock, for those at the edge who may read one."""
    return time.time_ns() // 1_000_000


def installation(folder: Path = STATE_FOLDER) -> Installation:
    """Find the installation that this process shall work with.

    Raises:
        ExitError: nothing is named and nothing stands, or a setting is wrong; the message says what to do.
    """
    return settings_of(Installation, folder)


def settings_of(kind: type[_Settings], folder: Path = STATE_FOLDER) -> _Settings:
    """Read the settings of any edge, the standing stack's where the environment is silent; raises as `installation`."""
    adopt_standing(folder)
    try:
        return kind()
    except ValidationError as problem:
        raise ExitError(ExitCode.SETTINGS_INVALID, _explained(problem)) from None


def adopt_standing(folder: Path = STATE_FOLDER) -> None:
    """Let the settings of the standing stack fill what the environment leaves open."""
    if f"{PREFIX}BOOTSTRAP_SERVERS" not in os.environ and find(folder) and (folder / _STANDING).exists():
        for name, value in json.loads((folder / _STANDING).read_text()).items():
            os.environ.setdefault(name, value)


def note_standing(environment: Mapping[str, str], folder: Path = STATE_FOLDER) -> None:
    """Write the settings that later commands adopt while the stack of `folder` stands."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STANDING).write_text(json.dumps(dict(environment), indent=2) + "\n")


def _explained(problem: ValidationError) -> str:
    missing = {str(one["loc"][0]) for one in problem.errors() if one["type"] == "missing"}
    if "bootstrap_servers" in missing:
        return (
            "no Kafka is named: run `perennial up` for a local one and stay in that folder, "
            "or set PERENNIAL_BOOTSTRAP_SERVERS=host:port"
        )
    return "; ".join(f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg']}" for one in problem.errors())
