"""Postgres: tables, migrations, the embedded server, and the store that applies load plans.

The only package that imports sqlalchemy, psycopg and alembic.
"""
