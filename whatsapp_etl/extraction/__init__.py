"""Reads text in stored pictures, by an engine on this machine. Imported by nothing unless it is asked for."""
