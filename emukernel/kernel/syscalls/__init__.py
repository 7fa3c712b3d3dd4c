"""The table of system calls and what dispatch makes of it."""
