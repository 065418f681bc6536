"""The published language: Avro files, record types, topics, codec, transport and the compatibility gate."""
