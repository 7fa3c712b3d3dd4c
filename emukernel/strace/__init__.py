"""System calls as text: strace's format for --trace, records for --trace-json, and the words in
which a violation names a call.

    Tracer(TextSink(file)).attach(kernel)   a trace of all that happens
    format_call(nr, args, read_user, ret)   one call on one line
    describe_call(nr, args, read_user)      the call as the filter language sees it
"""

from emukernel.strace.describe import describe_call
from emukernel.strace.line import format_call
from emukernel.strace.record import call_record
from emukernel.strace.sinks import JsonSink, ListSink, TextSink
from emukernel.strace.tracer import Tracer

__all__ = [
    "JsonSink",
    "ListSink",
    "TextSink",
    "Tracer",
    "call_record",
    "describe_call",
    "format_call",
]
