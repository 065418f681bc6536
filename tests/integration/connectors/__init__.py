"""Delivery and contacts on real Kafka, Redis and SMTP."""
