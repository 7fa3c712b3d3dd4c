/*
 * System V shared memory: keys, permissions, attaching and detaching in all ways, removal while attached, what fork
 * and exec do to attachments, faults, shmctl's commands, errors.
 */
#include "show.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

static void stat_line(const char *what, int id)
{
    struct shmid_ds ds;
    memset(&ds, 0, sizeof ds);
    if (shmctl(id, IPC_STAT, &ds) < 0)
        show(what, -1);
    else
        printf("%s: mode %o, size %zu, nattch %lu, cpid %s, lpid %s, atime %s, dtime %s\n", what, ds.shm_perm.mode,
               (size_t)ds.shm_segsz, (unsigned long)ds.shm_nattch, ds.shm_cpid == getpid() ? "mine" : "other",
               ds.shm_lpid == 0 ? "none" : ds.shm_lpid == getpid() ? "mine" : "other", ds.shm_atime ? "set" : "0",
               ds.shm_dtime ? "set" : "0");
}

static void *attach(const char *what, int id, const void *at, int flags)
{
    void *got = shmat(id, at, flags);
    if (got == (void *)-1)
        show(what, -1);
    else
        printf("%s: %s\n", what, !at ? "somewhere" : got == at ? "there" : "near");
    return got;
}

static int ended(const char *what)
{
    int status = -1;
    wait(&status);
    if (WIFSIGNALED(status))
        printf("%s: signal %d\n", what, WTERMSIG(status));
    else
        printf("%s: exit %d\n", what, WEXITSTATUS(status));
    return status;
}

static void count_maps(const char *what, const char *name)
{
    char line[400];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, name) != NULL;
    fclose(maps);
    printf("%s: %d areas\n", what, count);
}

int main(int argc, char **argv)
{
    setlinebuf(stdout);
    key_t key = 0x6b000000 | getpid();
    if (argc > 1) {
        stat_line("after exec", atoi(argv[1]));
        return 0;
    }
    show("size 0", shmget(IPC_PRIVATE, 0, 0600));
    show("too large", shmget(IPC_PRIVATE, -1, 0600));
    show("no such key", shmget(key, 100, 0));
    int id = must("shmget", shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640));
    show("exclusive", shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640));
    check("same id", shmget(key, 0, 0) == id);
    check("smaller is fine", shmget(key, 10, IPC_CREAT | 0600) == id);
    show("larger", shmget(key, 5001, 0));
    stat_line("new", id);

    show("bad id", shmctl(-1, IPC_STAT, NULL));
    show("no such id", shmctl(0x7fffffff, IPC_STAT, NULL));
    show("bad command", shmctl(id, 77, NULL));
    show("negative command", shmctl(id, -2, NULL));
    show("bad buffer", shmctl(id, IPC_STAT, (void *)8));
    show("IPC_SET of bad buffer", shmctl(id, IPC_SET, (void *)8));
    show("attach no such id", (long)shmat(0x7fffffff, NULL, 0));
    show("attach unaligned", (long)shmat(id, (void *)0x10000010, 0));
    show("attach to 0 by SHM_REMAP", (long)shmat(id, NULL, SHM_REMAP));
    show("rounded to 0", (long)shmat(id, (void *)8, SHM_REMAP | SHM_RND));
    show("detach nothing", shmdt((void *)0x10000000));
    show("detach unaligned", shmdt((void *)0x10000001));

    char *one = attach("attach", id, NULL, 0);
    char *two = attach("attach again", id, NULL, SHM_RDONLY);
    stat_line("two", id);
    count_maps("maps", "/SYSV6b");
    strcpy(one + 4090, "across pages");
    show_bytes("seen by the other", two + 4090, 12);
    check("rest is zero", one[5000] == 0 && one[8191] == 0);
    show("mprotect read-only", mprotect(two, PAGE, PROT_READ | PROT_WRITE));
    char *place = pages(8);
    show("in use", (long)shmat(id, place, 0));
    attach("SHM_REMAP", id, place + PAGE, SHM_REMAP);
    show_bytes("remapped", place + PAGE + 4090, 12);
    munmap(place, 8 * PAGE);
    stat_line("munmapped", id);
    attach("free now", id, place, 0);
    attach("rounded", id, place + 3 * PAGE + 77, SHM_RND);
    show("mprotect the middle", mprotect(place, PAGE, PROT_READ));
    stat_line("split", id);
    count_maps("maps", "/SYSV6b");
    show("detach middle", shmdt(place + PAGE));
    show("detach split", shmdt(place));
    count_maps("maps", "/SYSV6b");
    show("detach rounded", shmdt(place + 3 * PAGE));
    show("detach rounded again", shmdt(place + 3 * PAGE));
    stat_line("detached", id);
    int exec_id = must("shmget", shmget(IPC_PRIVATE, PAGE, 0700));
    void *code = attach("SHM_EXEC", exec_id, NULL, SHM_EXEC);
    memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
    show("code in it", ((int (*)(void))code)());
    show("detach", shmdt(code));
    show("remove", shmctl(exec_id, IPC_RMID, NULL));
    show("remove again", shmctl(exec_id, IPC_RMID, NULL));

    puts("children");
    if (fork() == 0) {
        stat_line("child", id);
        one[0] = 'c';
        _exit(0);
    }
    ended("child");
    stat_line("child gone", id);
    show_bytes("child wrote", one, 1);
    if (fork() == 0) {
        two[0] = 1;
        _exit(0);
    }
    ended("write to SHM_RDONLY with mprotect undone");
    if (fork() == 0) {
        one[8192] = 1;
        _exit(0);
    }
    ended("beyond the end");
    char number[20];
    snprintf(number, sizeof number, "%d", id);
    if (fork() == 0) {
        execl("/proc/self/exe", argv[0], number, (char *)NULL);
        _exit(9);
    }
    ended("exec");

    puts("changes");
    struct shmid_ds ds;
    must("stat", shmctl(id, IPC_STAT, &ds));
    check("key", ds.shm_perm.__key == key);
    check("creator", ds.shm_perm.cuid == geteuid() && ds.shm_perm.cgid == getegid());
    ds.shm_perm.mode = 0604 | 07000;
    show("IPC_SET", shmctl(id, IPC_SET, &ds));
    stat_line("mode", id);
    ds.shm_perm.uid = -1;
    show("uid -1", shmctl(id, IPC_SET, &ds));
    ds.shm_perm.uid = geteuid();
    show("SHM_LOCK", shmctl(id, SHM_LOCK, NULL));
    stat_line("locked", id);
    show("SHM_UNLOCK", shmctl(id, SHM_UNLOCK, NULL));
    stat_line("unlocked", id);
    ds.shm_perm.mode = 0;
    show("mode 0", shmctl(id, IPC_SET, &ds));
    if (fork() == 0) {
        drop_root();
        show("stat without permission", shmctl(id, IPC_STAT, &ds));
        show("attach without permission", (long)shmat(id, NULL, SHM_RDONLY));
        show("get without permission", shmget(key, 0, 0400));
        check("get asking for nothing", shmget(key, 0, 0) == id);
        if (ds.shm_perm.cuid != geteuid()) {
            show("set", shmctl(id, IPC_SET, &ds));
            show("remove", shmctl(id, IPC_RMID, NULL));
            show("lock", shmctl(id, SHM_LOCK, NULL));
        }
        _exit(0);
    }
    ended("other user");
    ds.shm_perm.mode = 0600;
    must("set", shmctl(id, IPC_SET, &ds));

    puts("removal while attached");
    show("IPC_RMID", shmctl(id, IPC_RMID, NULL));
    stat_line("still there", id);
    must("stat", shmctl(id, IPC_STAT, &ds));
    check("key is private", ds.shm_perm.__key == IPC_PRIVATE);
    show("by key", shmget(key, 0, 0));
    void *late = attach("attach", id, NULL, 0);
    show("detach", shmdt(late));
    show("detach first", shmdt(one));
    stat_line("one left", id);
    show("detach last", shmdt(two));
    stat_line("gone", id);
    check("SHM_INFO", shmctl(0, SHM_INFO, (void *)&ds) >= 0);
    struct shminfo limits;
    check("IPC_INFO", shmctl(0, IPC_INFO, (void *)&limits) >= 0);
    printf("limits: min %lu, mni %lu, seg %lu\n", limits.shmmin, limits.shmmni, limits.shmseg);
    return 0;
}
