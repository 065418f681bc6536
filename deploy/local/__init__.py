"""Real Kafka and Redis on this machine, for demo, tests, chaos, bench and `perennial up` alike: `stack.LocalStack`."""
