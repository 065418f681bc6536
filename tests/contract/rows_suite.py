"""What the engine relies on of a local store, kept alike by the one in memory and the one on disk."""

from streams.store import Rows


class RowsContract:
    """Subclass it with a fixture `rows`: an empty store."""

    def test_what_is_written_is_there_and_what_is_deleted_is_not(self, rows: Rows) -> None:
        rows.write({b"a": b"1", b"b": b"2"})
        rows.write({b"a": None, b"c": b""})
        assert [rows.get(key) for key in (b"a", b"b", b"c", b"d")] == [None, b"2", b"", None]

    def test_a_scan_goes_in_order_from_its_first_to_the_end_of_its_prefix(self, rows: Rows) -> None:
        rows.write({b"a|3": b"x", b"a|1": b"x", b"a|2": b"y", b"b|1": b"z", b"a": b"before"})
        assert list(rows.scan(b"a|2", b"a|")) == [(b"a|2", b"y"), (b"a|3", b"x")]
        assert [key for key, _ in rows.scan(b"", b"")] == [b"a", b"a|1", b"a|2", b"a|3", b"b|1"]

    def test_rows_may_be_written_during_a_scan(self, rows: Rows) -> None:
        rows.write({b"%03d" % number: b"x" for number in range(100)})
        for key, _ in list(rows.scan(b"", b"")):
            rows.write({key: None})
        assert list(rows.scan(b"", b"")) == []

    def test_its_size_can_be_told(self, rows: Rows) -> None:
        rows.write({b"a": b"x" * 10_000})
        assert rows.size_bytes() > 0
