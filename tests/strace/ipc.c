/* IPC calls with good and bad arguments, all data at fixed addresses: the trace of it is compared with strace's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define S(...) syscall(__VA_ARGS__)
#define BAD ((void *)0x10)

static struct shmid_ds shm;
static struct semid_ds sem;
static struct msqid_ds msg;
static struct shminfo shminfo;
static struct seminfo seminfo;
static struct msginfo msginfo;
static unsigned short values[3] = {1, 2, 3};
static struct sembuf ops[2] = {{0, 1, SEM_UNDO}, {1, -1, IPC_NOWAIT | SEM_UNDO}};
static struct timespec span = {0, 1000}, bad = {1, -1};
static struct { long type; char text[100]; } message = {7, "a message"};
static struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 20}, nonblock = {.mq_flags = O_NONBLOCK}, old;
static char text[100] = "some text";
static unsigned priority;
static int timer;
static struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
static struct itimerspec setting = {{1, 2}, {1L << 40, 4}};
static struct { unsigned long value, address; unsigned flags, reserved; } futexes[2];
static unsigned word = 3;
static struct iovec here[2] = {{text, 4}, {text + 50, 3}}, there[2] = {{text + 4, 5}, {text, 100}};

int main(void)
{
    int id = S(SYS_shmget, IPC_PRIVATE, 5000, IPC_CREAT | 0640);
    S(SYS_shmget, 0x1234567, 5000, 0);
    S(SYS_shmat, id, BAD, SHM_RND | SHM_REMAP);
    S(SYS_shmdt, 0x1000);
    S(SYS_shmctl, id, IPC_STAT, &shm);
    shm.shm_perm.mode = 07604;
    S(SYS_shmctl, id, IPC_SET, &shm);
    S(SYS_shmctl, id, IPC_SET, BAD);
    S(SYS_shmctl, id, IPC_STAT, BAD);
    S(SYS_shmctl, id, SHM_LOCK, NULL);
    S(SYS_shmctl, id, SHM_UNLOCK, 0);
    S(SYS_shmctl, id, IPC_INFO, &shminfo);
    S(SYS_shmctl, id, 77, &shm);
    S(SYS_shmctl, id, 0x100 | IPC_RMID, 0);
    S(SYS_shmctl, id, IPC_RMID, 0);

    id = S(SYS_semget, IPC_PRIVATE, 3, 0600);
    S(SYS_semctl, id, 0, SETALL, values);
    S(SYS_semctl, id, 1, GETVAL, 0);
    S(SYS_semctl, id, 1, SETVAL, 9);
    S(SYS_semctl, id, 0, GETALL, values);
    S(SYS_semop, id, ops, 2);
    S(SYS_semop, id, BAD, 2);
    S(SYS_semtimedop, id, ops, 1, &span);
    S(SYS_semtimedop, id, ops, 1, &bad);
    S(SYS_semctl, id, 0, IPC_INFO, &seminfo);
    S(SYS_semctl, id, 0, IPC_SET, BAD);
    S(SYS_semctl, id, 0, 99, 1);
    S(SYS_semctl, id, 0, IPC_RMID, 0);

    id = S(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);
    S(SYS_msgctl, id, IPC_STAT, &msg);
    S(SYS_msgsnd, id, &message, 9, IPC_NOWAIT);
    S(SYS_msgsnd, id, BAD, 9, 0);
    S(SYS_msgrcv, id, &message, 90, -8, MSG_NOERROR | IPC_NOWAIT);
    S(SYS_msgrcv, id, &message, 9, 1, MSG_EXCEPT | IPC_NOWAIT);
    S(SYS_msgrcv, id, &message, 9, 1, MSG_COPY | IPC_NOWAIT);
    msg.msg_qbytes = 100;
    S(SYS_msgctl, id, IPC_SET, &msg);
    S(SYS_msgctl, id, IPC_INFO, &msginfo);
    S(SYS_msgctl, id, IPC_RMID, 0);

    S(SYS_mq_open, "missing", O_RDWR, 0600, &attr);
    int fd = S(SYS_mq_open, "emukernel-trace", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    S(SYS_mq_open, BAD, O_RDWR | O_CREAT, 0600, BAD);
    S(SYS_mq_getsetattr, fd, &nonblock, &old);
    S(SYS_mq_getsetattr, fd, NULL, &old);
    S(SYS_mq_getsetattr, fd, BAD, &old);
    S(SYS_mq_timedsend, fd, text, 9, 5, NULL);
    S(SYS_mq_timedreceive, fd, text, 20, &priority, &span);
    S(SYS_mq_timedreceive, fd, text, 20, &priority, &bad);
    S(SYS_mq_notify, fd, &event);
    S(SYS_mq_notify, fd, NULL);
    S(SYS_mq_unlink, "emukernel-trace");

    S(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer);
    S(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, &timer);
    S(SYS_timer_settime, timer, TIMER_ABSTIME, &setting, &setting);
    S(SYS_timer_gettime, timer, BAD);
    S(SYS_timer_getoverrun, timer);
    S(SYS_timer_delete, timer);

    futexes[0].address = futexes[1].address = (unsigned long)&word;
    futexes[0].flags = 2;
    futexes[1].flags = 2 | 128;
    futexes[1].value = 3;
    S(449, futexes, 2, 0, NULL, CLOCK_MONOTONIC);
    S(449, futexes, 1, 0, &bad, CLOCK_REALTIME);
    S(449, BAD, 1, 1, NULL, CLOCK_REALTIME);
    S(SYS_process_vm_readv, 0x3fffffff, here, 2, there, 2, 0);
    S(SYS_process_vm_writev, 0x3fffffff, here, 2, there, 2, 1);
    S(SYS_membarrier, 128, 1, 3);
    S(SYS_membarrier, 16, 4, 0);
    S(SYS_membarrier, 16, 0, 0);
    return 0;
}
