"""The engine on real Kafka: workers as processes, harmed on purpose, judged exactly."""
