"""`whatsapp-etl doctor`: looks at everything the program needs and says what to do about what is wrong.

It changes nothing and can run beside the service. Each module holds the checks of one subject.
"""
