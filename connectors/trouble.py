"""A trouble that lasts is told when it begins and when it is over, never each time it is met (F06)."""

import structlog

_log = structlog.get_logger(__name__)


class Trouble:
    """What a process waits for, as its log tells it: one line at the beginning, one at the end."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._is_on = False

    def met(self, error: Exception) -> None:
        """It is there, or still there."""
        if not self._is_on:
            _log.warning(self._event, error=str(error), kind=type(error).__name__)
        self._is_on = True

    def over(self) -> None:
        """It is not there, or not any more."""
        if self._is_on:
            _log.info("trouble_over", trouble=self._event)
        self._is_on = False
