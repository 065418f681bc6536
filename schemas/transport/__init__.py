"""The Kafka client both edges share: the only package that imports confluent_kafka."""
