"""The tree of everything that can go wrong; a message says what happened, to what, and what to do next.

PerennialError
├── Refused                  a record that cannot be applied: it becomes a dead letter, its customer is held (law 4)
│   ├── Undecodable          bytes that are no record of ours
│   ├── UnknownSchema        a schema id that the registry (or the packaged file) does not know
│   ├── InvalidRecord        decoded, but a field breaks its meaning
│   └── StepFailed           the judging itself raised
├── SchemaUnavailable        a schema id that a registry in trouble could not tell: wait, never refuse
├── TransportError           Kafka said no (schemas.transport refines it)
└── ExitError                a promise is broken: the process stops under a named code
"""

from enum import StrEnum


class PerennialError(Exception):
    """Root of all errors of this system."""


class Refused(PerennialError):
    """A record cannot be applied; the engine turns it into a dead letter in the same transaction."""

    cause: str = "refused"


class Undecodable(Refused):
    """Bytes that are no record of ours: wrong magic byte, truncated, or of another type than their topic."""

    cause = "undecodable"


class UnknownSchema(Refused):
    """A schema id that the registry answered not to know, or that is not in the packaged file."""

    cause = "unknown_schema"


class InvalidRecord(Refused):
    """A record that decodes, but whose content breaks a rule: unknown zone, expiry before start, empty id."""

    cause = "invalid"


class StepFailed(Refused):
    """The pure core raised while applying a record; its customer alone is held."""

    cause = "step_failed"


class SchemaUnavailable(PerennialError):
    """A schema id is unknown and the registry cannot be reached: the partition waits (law 4)."""


class TransportError(PerennialError):
    """Kafka refused or did not answer; refined in `schemas.transport`."""


class ExitCode(StrEnum):
    """Why a process ended itself; the wire value is exported as the label of `worker_previous_exit`."""

    CHAIN_BROKEN = "chain_broken"
    FENCED = "fenced"
    REFUSAL_LIMIT = "refusal_limit"
    INPUTS_LOST = "inputs_lost"
    STORE_UNUSABLE = "store_unusable"
    STATE_UNREADABLE = "state_unreadable"
    DATA_VERSIONS_DIFFER = "data_versions_differ"
    BROKER_REFUSED = "broker_refused"
    COMMIT_UNKNOWN = "commit_unknown"
    SETTINGS_INVALID = "settings_invalid"
    CRASHED = "crashed"
    STALLED = "stalled"
    BROKER_UNAVAILABLE = "broker_unavailable"

    @property
    def status(self) -> int:
        """The process exit status that stands for this code (64 and up, as sysexits does)."""
        return 64 + list(ExitCode).index(self)


class ExitError(PerennialError):
    """A broken promise that ends the process under a named code, position not committed."""

    def __init__(self, code: ExitCode, message: str) -> None:
        self.code = code
        super().__init__(f"{code.value}: {message}")
