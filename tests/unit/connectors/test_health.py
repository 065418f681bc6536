"""What a connector process says over HTTP, and that every series exists before anything happens."""

import urllib.error
import urllib.request

from connectors.health import HealthServer, Vitals
from connectors.metrics import DeliveryMetrics
from schemas.vocabulary import Channel, Outcome


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_health_answers_what_is_so() -> None:
    ready: list[bool] = []
    metrics = DeliveryMetrics(Channel.EMAIL)
    refreshed: list[int] = []
    vitals = Vitals(
        is_live=lambda: True,
        is_ready=lambda: bool(ready),
        registry=metrics.registry,
        refresh=lambda: refreshed.append(1),
    )
    with HealthServer(vitals, host="127.0.0.1", port=0) as server:
        assert get(server.port, "/live")[0] == 200
        assert get(server.port, "/ready")[0] == 503
        ready.append(True)
        assert get(server.port, "/ready")[0] == 200
        status, text = get(server.port, "/metrics")
        assert get(server.port, "/etc/passwd")[0] == 404
    assert (status, refreshed) == (200, [1])
    for outcome in Outcome:
        assert f'perennial_receipts_total{{channel="email",outcome="{outcome.value}"}} 0.0' in text
    for name in ("touch_lateness_seconds", "calls_in_flight", "intents_in_doubt", "partitions_paused"):
        assert f"perennial_{name}" in text
