"""Names of linux/ipc.h, linux/shm.h, linux/sem.h, linux/msg.h."""

FLAGS = {
    "flags": ("IPC_???", "IPC_CREAT=0o1000 IPC_EXCL=0o2000 IPC_NOWAIT=0o4000"),
    "shmat": ("SHM_???", "SHM_RDONLY=0o10000 SHM_RND SHM_REMAP SHM_EXEC"),
    "mq_flags": ("O_???", "O_NONBLOCK=0o4000"),
    "sem_op": ("SEM_???", "SEM_UNDO=0x1000 IPC_NOWAIT=0o4000"),
    "msg": ("MSG_???", "MSG_NOERROR=0o10000 MSG_EXCEPT MSG_COPY IPC_NOWAIT=0o4000"),
}

ENUMS = {
    "shm_cmd": (
        "SHM_???",
        "IPC_RMID IPC_SET IPC_STAT IPC_INFO SHM_LOCK=11 SHM_UNLOCK SHM_STAT SHM_INFO SHM_STAT_ANY",
    ),
    "sem_cmd": (
        "SEM_???",
        "IPC_RMID IPC_SET IPC_STAT IPC_INFO GETPID=11 GETVAL GETALL GETNCNT GETZCNT SETVAL SETALL"
        " SEM_STAT SEM_INFO SEM_STAT_ANY",
    ),
    "msg_cmd": (
        "MSG_???",
        "IPC_RMID IPC_SET IPC_STAT IPC_INFO MSG_STAT=11 MSG_INFO MSG_STAT_ANY",
    ),
}
