"""Names of linux/ipc.h, linux/shm.h, linux/sem.h, linux/msg.h."""

FLAGS = {
    "flags": ("IPC_???", "IPC_CREAT=0o1000 IPC_EXCL=0o2000 IPC_NOWAIT=0o4000"),
    "shmat": ("SHM_???", "SHM_RDONLY=0o10000 SHM_RND SHM_REMAP SHM_EXEC"),
    "msg": ("MSG_???", "IPC_NOWAIT=0o4000 MSG_NOERROR=0o10000 MSG_EXCEPT MSG_COPY"),
}

ENUMS = {
    "cmd": (
        "IPC_???",
        "IPC_RMID IPC_SET IPC_STAT IPC_INFO GETPID=11 GETVAL GETALL GETNCNT GETZCNT SETVAL SETALL"
        " SEM_STAT SEM_INFO",
    ),
}
