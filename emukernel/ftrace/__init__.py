"""The event filter engine of ftrace: texts over the fields of an event, true or false for a
record of it.

``events`` has the metadata, ``filter`` makes filters; ``diagnose`` and ``notes`` say to people
what is wrong with a text or doubtful about it.  The engine knows nothing of those who use it.

    >>> from emukernel.ftrace import events, filter as event_filter
    >>> passes = event_filter.create(events.table().by_nr(1), "fd == 1 || fd == 2").match
    >>> passes(1, 2, 0x7ffe0000, 14, 0, 0, 0)
    True
"""
