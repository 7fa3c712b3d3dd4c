"""Clocks and the calls that read, set and wait for them."""
