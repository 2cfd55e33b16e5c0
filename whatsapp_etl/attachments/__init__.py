"""Files of messages on disk, each once, under its own checksum."""
