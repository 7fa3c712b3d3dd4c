"""Sockets: names, messages and a loopback that exists only inside the machine (Linux: net/).

No host socket is ever made: what is sent stays in queues of this package.
"""
