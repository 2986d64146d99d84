"""Clients that behave, and clients that do not."""
