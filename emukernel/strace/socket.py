"""Sockets: types, options, addresses, messages."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace.call import pointer
from emukernel.strace.kinds import bytes_at, memory
from emukernel.strace.literal import quote
from emukernel.strace.names import enum, enum_set, flags
from emukernel.strace.uio import iovec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_TYPE_MASK = 0xF
SOL_SOCKET = 1
MAX_ADDRESS = 128

OPTIONS = {0: "net.ip", SOL_SOCKET: "net.so", 6: "net.tcp", 41: "net.ipv6"}
"""The names of options, by level."""

VALUES = {(SOL_SOCKET, 13): "linger", (SOL_SOCKET, 17): "ucred"}
"""Options of SOL_SOCKET that are structs: SO_LINGER, SO_PEERCRED."""


def type(call: Call, i: int) -> str:
    value = call.value(i)
    kind = value & SOCK_TYPE_MASK
    name = enum_set("net.type")[1].get(kind)
    rest = (value & 0xFFFFFFFF) - kind
    text = name or f"{kind:#x} /* SOCK_??? */"
    return f"{text}|{flags('net.sock', rest)}" if rest else text


def protocol(call: Call, i: int) -> str:
    """The protocol, whose meaning depends on the family, the first argument."""
    family = call.value(0)
    if family in (AF_INET, AF_INET6):
        return enum("net.inet", call.value(i))
    if family == AF_NETLINK:
        return enum("net.netlink", call.value(i))
    return str(call.value(i))


def option(call: Call, i: int) -> str:
    """An option's name; its level stands before it."""
    names = OPTIONS.get(call.value(i - 1))
    return enum(names, call.value(i)) if names else f"{call.value(i) & 0xFFFFFFFF:#x}"


def option_value(call: Call, address: int, size: int | None) -> str | None:
    """An option's value: a number, one of VALUES, or bytes."""
    size = size or 0
    struct = VALUES.get((call.value(1), call.value(2)))
    if struct and size >= 8:
        return memory(call, struct, address)
    if size == 4:
        value = call.integer(address, 4, signed=True)
        return None if value is None else f"[{value}]"
    return bytes_at(call, address, size) if size > 0 else None


def address(call: Call, at: int, size: int | None) -> str | None:
    """`{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`."""
    if size is None or size < 2:
        return None
    data = call.read(at, min(size, MAX_ADDRESS))
    if data is None:
        return None
    family = int.from_bytes(data[:2], "little")
    texts = [f"sa_family={enum('net.family', family)}"]
    if family == AF_UNIX:
        texts += _unix(data[2:])
    elif family == AF_INET and len(data) >= 16:
        dotted = ".".join(str(byte) for byte in data[4:8])
        texts += [f"sin_port=htons({_big(data[2:4])})", f'sin_addr=inet_addr("{dotted}")']
    elif family == AF_INET6 and len(data) >= 28:
        from socket import AF_INET6 as HOST_AF_INET6
        from socket import inet_ntop

        texts += [
            f"sin6_port=htons({_big(data[2:4])})",
            f"sin6_flowinfo=htonl({_big(data[4:8])})",
            f'inet_pton(AF_INET6, "{inet_ntop(HOST_AF_INET6, data[8:24])}", &sin6_addr)',
            f"sin6_scope_id={int.from_bytes(data[24:28], 'little')}",
        ]
    elif family == AF_NETLINK and len(data) >= 12:
        pid, groups = unpack_from("<iI", data, 4)
        texts += [f"nl_pid={pid}", f"nl_groups={groups:08x}"]
    elif len(data) > 2:
        texts.append(f"sa_data={quote(data[2:])}")
    return f"{{{', '.join(texts)}}}"


def _unix(path: bytes) -> list[str]:
    """A name in the file system up to its NUL; an abstract one, which begins with NUL, whole."""
    if not path:
        return []
    if path[0]:
        return [f"sun_path={quote(path.partition(bytes(1))[0])}"]
    return [f"sun_path=@{quote(path[1:])}"]


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def msghdr(call: Call, at: int, count: int | None) -> str | None:
    """struct msghdr: to or from whom, the data, control data and flags."""
    data = call.read(at, 56)
    if data is None:
        return None
    name, name_size, segments, number, control, control_size, message_flags = unpack_from(
        "<QI4xQQQQI", data
    )
    name_text = (address(call, name, name_size) if name else None) or pointer(name)
    vector = (iovec(call, segments, number) if segments else None) or pointer(segments)
    texts = [
        f"msg_name={name_text}",
        f"msg_namelen={name_size}",
        f"msg_iov={vector}",
        f"msg_iovlen={number}",
    ]
    if control_size:
        texts.append(f"msg_control={pointer(control)}")
    texts.append(f"msg_controllen={control_size}")
    texts.append(f"msg_flags={flags('net.msg', message_flags)}")
    return f"{{{', '.join(texts)}}}"
