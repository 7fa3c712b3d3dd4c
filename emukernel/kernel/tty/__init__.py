"""Terminals (Linux: drivers/tty): the line discipline, job control, ptys and the host's terminal.

A Tty is one end. What a program writes to it goes through its line discipline's output processing
to the driver; what the driver receives waits in `port` until the line discipline has room for it.
The driver of a pty's end is the other end; that of the console is the host's terminal.
"""
