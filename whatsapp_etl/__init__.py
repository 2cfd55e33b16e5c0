"""Keeps a Postgres database in step with a WhatsApp account."""

__version__ = "0.1.0"
