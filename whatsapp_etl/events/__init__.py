"""Telling the person: which events happen, how they are written, and how they reach a webhook."""
