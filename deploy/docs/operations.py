"""Markdown tables of settings and metrics, from the settings classes and the metrics catalogues."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from connectors.metrics import ContactsMetrics, DeliveryMetrics
from connectors.settings import ChannelSettings, ContactsSettings
from deploy.docs.markdown import page, table
from deploy.settings import Installation
from schemas.vocabulary import Channel
from streams.metrics import Metrics
from streams.settings import ClockSettings, WorkerSettings

PROCESSES: dict[str, type[BaseSettings]] = {
    "every command": Installation,
    "perennial worker": WorkerSettings,
    "perennial clock": ClockSettings,
    "perennial channel": ChannelSettings,
    "perennial contacts": ContactsSettings,
}


def settings_document() -> str:
    """List every setting of every process with its default and meaning."""
    sections = [f"## {process}\n\n{_settings(kind)}" for process, kind in PROCESSES.items()]
    introduction = "Read from the environment when a process starts; secrets may come from a file where one is named."
    return page("Settings", introduction, "\n".join(sections))


def metrics_document() -> str:
    """List every metric of every process."""
    sections = {
        "perennial worker": Metrics().registry,
        "perennial channel": DeliveryMetrics(Channel.EMAIL).registry,
        "perennial contacts": ContactsMetrics().registry,
    }
    body = "\n".join(f"## {process}\n\n{_metrics(registry)}" for process, registry in sections.items())
    return page("Metrics", "Served at `/metrics`; labels are closed lists, never ids.", body)


def _settings(kind: type[BaseSettings]) -> str:
    prefix = str(kind.model_config.get("env_prefix", ""))
    rows = (
        (_variable(prefix, name, field), _default(field.default), field.description or "")
        for name, field in kind.model_fields.items()
    )
    return table(("variable", "default", "meaning"), rows)


def _variable(prefix: str, name: str, field: Any) -> str:  # noqa: ANN401  pydantic's FieldInfo, whose alias may be either kind
    return f"`{field.validation_alias or (prefix + name).upper()}`"


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        return "" if not value.get_secret_value() else "for development only"
    if value in ("", None, ()):
        return ""
    return f"`{', '.join(str(part) for part in value)}`" if isinstance(value, tuple) else f"`{value}`"


def _metrics(registry: CollectorRegistry) -> str:
    families = sorted(_families(registry), key=lambda row: row[0])
    return table(("metric", "type", "labels", "meaning"), families)


def _families(registry: CollectorRegistry) -> Iterable[tuple[str, str, str, str]]:
    """Name every family, those without a series too, which the library's own listing leaves out."""
    for collector in registry._collector_to_names:  # noqa: SLF001  no public accessor
        if isinstance(collector, MetricWrapperBase):
            family = next(iter(collector.describe()))
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield f"`{name}`", family.type, ", ".join(collector._labelnames), family.documentation  # noqa: SLF001  as above
