"""One room against real Kafka and Redis."""
