"""C structs of the kernel's interface as lists of fields.

`name:type` or `name:type:kind`. The type is one of the letters of Python's struct module for the
C integers (bB char, hH short, iI int, qQ long), with a number before it for an array, `Ns` for
text in an array of N bytes, or the name of another struct. The kind is as in a system call's
signature, with `/` for the space. Fields are aligned as the C compiler does it. What follows `...`
belongs to the struct but is not shown, and so it is with names that begin with `_`.
"""

from __future__ import annotations

STRUCTS: dict[str, str] = {
    "timespec": "tv_sec:q tv_nsec:Q",
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
    "sembuf": "sem_num:H sem_op:h sem_flg:h:flags/ipc.sem_op",
    # Permissions are shown in another order than they lie.
    "ipc_perm": "_key:i uid:I:uid gid:I:uid cuid:I:uid cgid:I:uid mode:I:mode _seq:I _unused:2Q",
    "shmid_ds": (
        "_shm_perm:ipc_perm shm_segsz:Q _shm_atime:q _shm_dtime:q _shm_ctime:q shm_cpid:i"
        " shm_lpid:i shm_nattch:Q _unused:2Q"
    ),
    "semid_ds": (
        "_sem_perm:ipc_perm sem_otime:q _unused1:Q sem_ctime:q _unused2:Q sem_nsems:Q _unused3:2Q"
    ),
    "msqid_ds": (
        "_msg_perm:ipc_perm msg_stime:q msg_rtime:q msg_ctime:q _msg_cbytes:Q msg_qnum:Q"
        " msg_qbytes:Q msg_lspid:i msg_lrpid:i _unused:2Q"
    ),
    "shminfo": "shmmax:Q shmmin:Q shmmni:Q shmseg:Q shmall:Q _unused:4Q",
    "shm_info": (
        "used_ids:i shm_tot:Q shm_rss:Q shm_swp:Q swap_attempts:Q swap_successes:Q"
    ),
    "seminfo": (
        "semmap:i semmni:i semmns:i semmnu:i semmsl:i semopm:i semume:i semusz:i semvmx:i semaem:i"
    ),
    "msginfo": (
        "msgpool:i msgmap:i msgmax:i msgmnb:i msgmni:i msgssz:i msgtql:i msgseg:H"
    ),
    "mq_attr": "mq_flags:q:flags/ipc.mq_flags mq_maxmsg:q mq_msgsize:q mq_curmsgs:q _reserved:4q",
    "linger": "l_onoff:i l_linger:i",
    "ucred": "pid:i uid:I:uid gid:I:uid",
}
