"""Why a local stack cannot be had or did not come up."""

from schemas.errors import PerennialError


class StackUnavailable(PerennialError):
    """This machine lacks something that the local stack needs; the message says what and how to get it."""


class StackFailed(PerennialError):
    """A service of the local stack did not start, or ended by itself; the message carries the end of its log."""
