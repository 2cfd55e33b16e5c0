"""What people and machines see of the program: health, metrics, the QR and the status page.

Handlers read one immutable snapshot (`state.ServiceState`) and never touch the browser, the
database or the scheduler.
"""
