"""A stand-in for WhatsApp Web: an invented account, its page, and a record of what the page sent.

The server half lives here, the page half in `static/`. Nothing of the program that reads the page
is imported, so that a mistake there cannot repeat itself here. `docs/simulator.md` has the calls.
"""
