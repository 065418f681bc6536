"""The dead-letter limit: a bad deploy stops the worker instead of draining a topic into the dead letters (I7)."""

from dataclasses import dataclass

WINDOW = 1_000
MOST_REFUSED = WINDOW // 5
MOST_IN_A_ROW = 1_000
_MASK = (1 << WINDOW) - 1
_WINDOW_BYTES = WINDOW // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalWindow:
    """Which of the last thousand records were refused, newest in the lowest bit; kept in the meta row."""

    bits: int = 0
    seen: int = 0
    in_a_row: int = 0

    def applied(self, count: int) -> "RefusalWindow":
        """Note records that were applied."""
        if not count or (not self.bits and self.seen == WINDOW and not self.in_a_row):
            return self
        bits = 0 if count >= WINDOW else (self.bits << count) & _MASK
        return RefusalWindow(bits=bits, seen=min(WINDOW, self.seen + count))

    def refused(self) -> "RefusalWindow":
        """Note one record that was refused."""
        return RefusalWindow(
            bits=(self.bits << 1 | 1) & _MASK, seen=min(WINDOW, self.seen + 1), in_a_row=self.in_a_row + 1
        )

    @property
    def is_over_limit(self) -> bool:
        """Whether a fifth of a full window, or a thousand in a row, were refused."""
        return self.in_a_row >= MOST_IN_A_ROW or (self.seen == WINDOW and self.bits.bit_count() > MOST_REFUSED)

    def packed(self) -> bytes:
        """Write the bits for the meta row; empty when nothing was refused."""
        return self.bits.to_bytes(_WINDOW_BYTES, "big") if self.bits else b""


def window_of(bits: bytes, seen: int, in_a_row: int) -> RefusalWindow:
    """Read a window back from the meta row."""
    return RefusalWindow(bits=int.from_bytes(bits, "big"), seen=seen, in_a_row=in_a_row)
