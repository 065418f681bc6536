"""The outside edge: delivery, channels, contacts, ingestion and what talks to other systems."""
