"""C structs of the kernel's interface as lists of fields.

`name:type` or `name:type:kind`. The type is one of the letters of Python's struct module for the
C integers (bB char, hH short, iI int, qQ long), with a number before it for an array, `Ns` for
text in an array of N bytes, or the name of another struct. The kind is as in a system call's
signature, with `/` for the space. Fields are aligned as the C compiler does it. What follows `...`
belongs to the struct but is not shown, and so it is with names that begin with `_`.
"""

from __future__ import annotations

STRUCTS: dict[str, str] = {
    "timespec": "tv_sec:q tv_nsec:q",
    "timeval": "tv_sec:q tv_usec:q",
    "timezone": "tz_minuteswest:i tz_dsttime:i",
    "itimerval": "it_interval:timeval it_value:timeval",
    "itimerspec": "it_interval:timespec it_value:timespec",
    "tms": "tms_utime:q:ticks tms_stime:q:ticks tms_cutime:q:ticks tms_cstime:q:ticks",
    "rlimit": "rlim_cur:Q:rlimit rlim_max:Q:rlimit",
    "rusage": (
        "ru_utime:timeval ru_stime:timeval ... ru_maxrss:q ru_ixrss:q ru_idrss:q ru_isrss:q"
        " ru_minflt:q ru_majflt:q ru_nswap:q ru_inblock:q ru_oublock:q ru_msgsnd:q ru_msgrcv:q"
        " ru_nsignals:q ru_nvcsw:q ru_nivcsw:q"
    ),
    "sysinfo": (
        "uptime:q loads:3Q totalram:Q freeram:Q sharedram:Q bufferram:Q totalswap:Q freeswap:Q"
        " procs:H totalhigh:Q freehigh:Q mem_unit:I"
    ),
    "utsname": ("sysname:65s nodename:65s ... release:65s version:65s machine:65s domainname:65s"),
    "fsid": "val:2I:x",
    "statfs": (
        "f_type:q:enum/fs.magic f_bsize:q f_blocks:Q f_bfree:Q f_bavail:Q f_files:Q f_ffree:Q"
        " f_fsid:fsid f_namelen:q f_frsize:q f_flags:q:flags/fs.st _f_spare:4q"
    ),
    "flock": "l_type:h:enum/fs.lock l_whence:h:enum/fs.whence l_start:q l_len:q _l_pid:i",
    "flock_found": "l_type:h:enum/fs.lock l_whence:h:enum/fs.whence l_start:q l_len:q l_pid:i",
    "winsize": "ws_row:H ws_col:H ws_xpixel:H ws_ypixel:H",
    "stack_t": "ss_sp:Q:address ss_flags:i:flags/signal.ss ss_size:Q",
    "sembuf": "sem_num:H sem_op:h sem_flg:h:flags/ipc.flags",
    "linger": "l_onoff:i l_linger:i",
    "ucred": "pid:i uid:I:uid gid:I:uid",
}
