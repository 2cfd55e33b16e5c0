"""Every column is declared: reached by erasing, or telling of nobody."""

from whatsapp_etl.load.personal import ERASED, IMPERSONAL
from whatsapp_etl.load.tables import metadata


def test_every_column_is_declared_once_and_no_other():
    declared = [
        (table, column)
        for side in (ERASED, IMPERSONAL)
        for table, columns in side.items()
        for column in columns
    ]
    stored = [(table.name, column.name) for table in metadata.sorted_tables for column in table.columns]
    assert sorted(declared) == sorted(stored)


def test_a_new_column_is_noticed():
    assert all(columns for columns in (*ERASED.values(), *IMPERSONAL.values()))
    assert {"content_snippet", "sender_id"} <= ERASED["messages"]
