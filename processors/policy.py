"""One policy set as data: cadence, hours, windows, caps and delivery, read from YAML with errors that name the field.

Later parts of the policy model (segments, routes, offers, holdouts) are further fields with defaults; `step` asks a
policy only through the functions of windows, caps, suppression and retry.
"""

import hashlib
import re
from collections.abc import Hashable
from typing import Any, NoReturn

import msgspec
import yaml

from processors.zones import is_zone
from schemas.errors import InvalidRecord
from schemas.vocabulary import Channel

MOST_BYTES = 1_048_576
MOST_STEPS = 40
MOST_DAYS_BEFORE = 3_660  # ten years; with the next one every window fits the calendar, whatever a CRM writes
MOST_DAYS_OPEN = 300
LONGEST_PERIOD_MS = 366 * 86_400_000
LONGEST_WAIT_MS = 7 * 86_400_000  # within it a term that is over still knows what is out
CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class CadenceStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One named entry of a cadence: so many local days before the last covered day, by one channel."""

    name: str
    days: int
    channel: Channel
    template: str


class SendHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When touches may leave, on the customer's clock; `working_days` are ISO weekdays."""

    opens: str
    closes: str
    working_days: tuple[int, ...]

    @property
    def opens_minute(self) -> int:
        """Minutes from midnight to the opening."""
        return _minute(self.opens)

    @property
    def closes_minute(self) -> int:
        """Minutes from midnight to the close."""
        return _minute(self.closes)


class WindowLength(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps at least `from_days` before expiry stay open at most `lasts_days` local days."""

    from_days: int
    lasts_days: int


class Caps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Most touches of a customer over all channels, by local day and in any sliding period."""

    per_local_day: int
    per_period: int
    period_ms: int
    exempt_steps: tuple[str, ...] = ()


class DeliveryRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a command may wait, when silence is `unknown`, and when a failed attempt is made again."""

    send_within_ms: int
    call_timeout_ms: int
    retry_after_ms: tuple[int, ...]
    look_again_ms: int


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, eq=False):
    """One policy set; compared by identity, so that placed windows can be remembered per policy."""

    name: str
    default_zone: str
    cadence: tuple[CadenceStep, ...]
    send_hours: SendHours
    windows: tuple[WindowLength, ...]
    caps: Caps
    delivery: DeliveryRules


class _PlainLoader(yaml.SafeLoader):
    """YAML without anchors and repeated keys: few bytes must not unfold into gigabytes, no line silently win."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("anchors and aliases are not allowed in a policy")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's own signature
        names = [name.value for name, _ in node.value]
        if len(set(map(str, names))) < len(names):
            raise yaml.YAMLError(f"a key is given twice among {names} in line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def content_hash(content: str) -> str:
    """Fingerprint of a policy's text, as published beside it: SHA-256 in hexadecimal."""
    return hashlib.sha256(content.encode()).hexdigest()


def read_policy(content: str) -> Policy:
    """Read the YAML (or JSON) text of a policy.

    Raises:
        InvalidRecord: not YAML, too long, or a field is missing, unknown or breaks its meaning.
    """
    if len(content.encode()) > MOST_BYTES:
        _refuse("$", f"is longer than {MOST_BYTES} bytes")
    try:
        document = yaml.load(content, Loader=_PlainLoader)  # noqa: S506  a safe loader, restricted further
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidRecord(f"the policy is not YAML: {' '.join(str(error).split())}") from error
    return parse_policy(document)


def parse_policy(document: Any) -> Policy:  # noqa: ANN401  whatever YAML holds
    """Check a policy given as plain values; every complaint names its field, such as `$.caps.per_period`.

    Raises:
        InvalidRecord: a field is missing, unknown, of another type, or breaks its meaning.
    """
    try:
        policy = msgspec.convert(document, Policy)
    except msgspec.ValidationError as error:
        raise InvalidRecord(f"the policy cannot be used: {error}{_advice(document)}") from error
    _check_cadence(policy)
    _check_hours(policy.send_hours)
    _check_numbers(policy)
    if not is_zone(policy.default_zone):
        _refuse("$.default_zone", f"{policy.default_zone!r} is not a zone of tzdata")
    return policy


def _advice(document: Any) -> str:  # noqa: ANN401  whatever YAML holds
    """YAML 1.1 reads 18:00 as 1080, a number of base 60."""
    hours = document.get("send_hours") if isinstance(document, dict) else None
    times = [hours.get(name) for name in ("opens", "closes")] if isinstance(hours, dict) else []
    return '; put times in quotes, such as "18:00"' if any(isinstance(time, int) for time in times) else ""


def _check_cadence(policy: Policy) -> None:
    names = [step.name for step in policy.cadence]
    days = [step.days for step in policy.cadence]
    if not 0 < len(names) <= MOST_STEPS:
        _refuse("$.cadence", f"needs 1 to {MOST_STEPS} steps")
    if len(set(names)) < len(names) or not all(names):
        _refuse("$.cadence", "names its steps uniquely")
    if days != sorted(set(days), reverse=True) or days[-1] < 0:
        _refuse("$.cadence", "runs from the largest distance to the smallest, none twice, none below 0")
    if days[0] > MOST_DAYS_BEFORE:
        _refuse("$.cadence[0].days", f"begins at most {MOST_DAYS_BEFORE} days before expiry")
    for index, step in enumerate(policy.cadence):
        if step.channel is Channel.UNSPECIFIED or not step.template:
            _refuse(f"$.cadence[{index}]", "needs a channel and a template")
    for name in policy.caps.exempt_steps:
        if name not in names:
            _refuse("$.caps.exempt_steps", f"{name!r} is not a step of the cadence")


def _check_hours(hours: SendHours) -> None:
    for field, text in (("opens", hours.opens), ("closes", hours.closes)):
        if not CLOCK_TIME.fullmatch(text):
            _refuse(f"$.send_hours.{field}", f"{text!r} is not a time such as 09:00")
    if hours.opens_minute >= hours.closes_minute:
        _refuse("$.send_hours", "opens before it closes; hours over midnight are not send hours")
    if not hours.working_days or not set(hours.working_days) <= set(range(1, 8)):
        _refuse("$.send_hours.working_days", "lists ISO weekdays from 1 (Monday) to 7")


def _check_numbers(policy: Policy) -> None:
    starts = [length.from_days for length in policy.windows]
    if starts != sorted(set(starts), reverse=True) or not all(length.lasts_days > 0 for length in policy.windows):
        _refuse("$.windows", "runs from the largest distance to the smallest and lasts at least a day each")
    if any(step.days > 0 and not any(step.days >= start for start in starts) for step in policy.cadence):
        _refuse("$.windows", "has no length for a step of the cadence")
    if any(length.lasts_days > MOST_DAYS_OPEN for length in policy.windows):
        _refuse("$.windows", f"lasts at most {MOST_DAYS_OPEN} days each")
    if min(policy.caps.per_local_day, policy.caps.per_period, policy.caps.period_ms) < 1:
        _refuse("$.caps", "allows at least one touch in a period of some length")
    if policy.caps.period_ms > LONGEST_PERIOD_MS:
        _refuse("$.caps.period_ms", f"is at most {LONGEST_PERIOD_MS}, a year")
    _check_waits(policy.delivery)


def _check_waits(rules: DeliveryRules) -> None:
    waits = (rules.send_within_ms, rules.call_timeout_ms, rules.look_again_ms, *rules.retry_after_ms)
    if min(waits) < 1 or max(waits) > LONGEST_WAIT_MS:
        _refuse("$.delivery", f"lasts from a millisecond to {LONGEST_WAIT_MS} (7 days) each")


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _refuse(path: str, complaint: str) -> NoReturn:
    raise InvalidRecord(f"the policy cannot be used: it {complaint} - at `{path}`")
