"""Keeps captured chats on disk while Postgres is away, in order, up to a bound."""
