"""The pure heart: captured rows and metadata in, messages and plans out.

Nothing here knows the clock, a file, a browser or a database. Every function takes values and
returns values, so that a captured batch can be replayed after a selector fix and gives the same rows.
"""
