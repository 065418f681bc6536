"""One running system for all verbs' tests: each has customers of its own and begins on a Monday of its own."""

from collections.abc import Generator, Iterator

import pytest

from tests.e2e.system import LiveSystem, live_system, plan_of

REFUSED = "^refused.*@=refuse"  # whoever is called so is refused for good (5xx) by the mail provider
BUSY = "^busy.*@=busy"  # and for the moment (4xx)
_LIVE: list[LiveSystem] = []


@pytest.fixture(scope="package")
def system(bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """A system with the preset policy, in domain time from a Monday in February on."""
    with live_system(plan_of(bootstrap, redis_url, tmp_path_factory.mktemp("system"), REFUSED, BUSY)) as live:
        _LIVE.append(live)
        yield live
        _LIVE.remove(live)


@pytest.fixture
def unruled(bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """A system of the test's own, without a policy."""
    with live_system(plan_of(bootstrap, redis_url, tmp_path_factory.mktemp("unruled")), is_ruled=False) as live:
        _LIVE.append(live)
        yield live
        _LIVE.remove(live)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of every process's log beside a failure."""
    del item, call
    report = yield
    if report.failed:
        for live in _LIVE:
            report.sections.extend((f"log of {name}", tail) for name, tail in live.tails())
    return report
