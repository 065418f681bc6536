"""Keys reach the same partition from Python, Java and librdkafka."""

import pytest

from schemas.transport.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [  # the vectors of Apache Kafka's own UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_java(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed & 0xFFFFFFFF


def test_a_negative_hash_loses_its_sign_as_in_java() -> None:
    assert partition_of(b"21", 12) == (-973932308 & 0x7FFFFFFF) % 12
