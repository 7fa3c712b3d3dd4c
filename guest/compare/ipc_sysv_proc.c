/*
 * System V IPC in /proc: the objects in /proc/sysvipc, the limits in /proc/sys/kernel.
 */
#include "show.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/* The heading, and the line of object ID with its key and the first COUNT numbers behind its id. */
static void lines(const char *path, int id, int count)
{
    char line[400];
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file)) {
        show(path, -1);
        return;
    }
    printf("%s: %s", path, line);
    while (fgets(line, sizeof line, file)) {
        int end, key, other;
        size_t width = strlen(line);
        if (sscanf(line, "%d %d%n", &key, &other, &end) != 2 || other != id)
            continue;
        printf("key %d, width %zu:", key, width);
        for (char *word = strtok(line + end, " "); word && count--; word = strtok(NULL, " "))
            printf(" %s", word);
        puts("");
    }
    fclose(file);
}

int main(void)
{
    int shm = must("shmget", shmget(IPC_PRIVATE, 10000, 0640));
    int sem = must("semget", semget(IPC_PRIVATE, 3, 0604));
    int msg = must("msgget", msgget(IPC_PRIVATE, 0666));
    char *at = shmat(shm, NULL, 0);
    at[5000] = 1;
    struct msgbuf message = {.mtype = 1, .mtext = "x"};
    msgsnd(msg, &message, 1, 0);
    lines("/proc/sysvipc/shm", shm, 2);
    lines("/proc/sysvipc/sem", sem, 2);
    lines("/proc/sysvipc/msg", msg, 3);
    show("shm", shmctl(shm, IPC_RMID, NULL));
    show("sem", semctl(sem, 0, IPC_RMID, 0));
    show("msg", msgctl(msg, IPC_RMID, NULL));
    lines("/proc/sysvipc/shm", shm, 2);
    lines("/proc/sysvipc/sem", sem, 2);
    show_file("sem", "/proc/sys/kernel/sem");
    show_file("shmmni", "/proc/sys/kernel/shmmni");
    show_file("shmmax", "/proc/sys/kernel/shmmax");
    show_file("shmall", "/proc/sys/kernel/shmall");
    show_file("msgmax", "/proc/sys/kernel/msgmax");
    show_file("msgmnb", "/proc/sys/kernel/msgmnb");
    show_file("msgmni", "/proc/sys/kernel/msgmni");
    return 0;
}
