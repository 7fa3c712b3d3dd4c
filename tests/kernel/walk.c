/* A walk through ids and capabilities: argv[1] seeds it, argv[2] is the number of steps. After every
 * step it prints what the kernel says of the process, so that two kernels can be compared. Only the
 * capabilities 0 to 23 are looked at: containers lack some of the others. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPS 24
#define CAP_MASK ((1u << CAPS) - 1)

struct header {
    unsigned version;
    int pid;
};
struct data {
    unsigned effective, permitted, inheritable;
};

static uint64_t seed;

static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static int some_id(void)
{
    static const int ids[] = {-1, 0, 0, 1, 2, 1000};
    return ids[below(6)];
}

static long change_caps(void)
{
    struct header header = {0x20080522, 0};
    struct data data[2];
    unsigned permitted = below(2) ? below(CAP_MASK) : CAP_MASK;
    unsigned effective = below(2) ? permitted & below(CAP_MASK) : permitted;
    unsigned inheritable = below(2) ? below(CAP_MASK) : 0;

    syscall(SYS_capget, &header, data);
    if (below(2)) {
        permitted &= data[0].permitted;
        effective &= permitted;
        inheritable &= permitted;
    }
    if (below(3))
        effective = permitted = data[0].permitted;
    data[0] = (struct data){effective, permitted, inheritable};
    data[1].effective = data[1].inheritable = 0;
    return syscall(SYS_capset, &header, data);
}

static long step(int kind, int a, int b, int c)
{
    static const int securebits[] = {0, 0x10, 4, 0x14, 1, 0x40, 0x30};

    switch (kind) {
    case 0: return syscall(SYS_setuid, a);
    case 1: return syscall(SYS_setreuid, a, b);
    case 2: return syscall(SYS_setresuid, a, b, c);
    case 3: return syscall(SYS_setfsuid, a);
    case 4: return syscall(SYS_setgid, a);
    case 5: return syscall(SYS_setregid, a, b);
    case 6: return syscall(SYS_setresgid, a, b, c);
    case 7: return syscall(SYS_setfsgid, a);
    case 8: return prctl(PR_SET_KEEPCAPS, below(2));
    case 9: return prctl(PR_SET_SECUREBITS, securebits[below(below(4) ? 2 : 7)]);
    case 10: return change_caps();
    case 11: return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, below(CAPS), 0, 0);
    case 12: return prctl(PR_CAP_AMBIENT, 1 + below(4), 0, 0, 0);
    default: return prctl(PR_CAPBSET_DROP, below(200));
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    seed = strtoull(argv[1], NULL, 10);
    for (int i = 0; i < atoi(argv[2]); i++) {
        int kind = below(14), a = some_id(), b = some_id(), c = some_id();
        struct header header = {0x20080522, 0};
        struct data data[2];
        unsigned ambient = 0, bset = 0;
        uid_t ru, eu, su;
        gid_t rg, eg, sg;
        long result = step(kind, a, b, c);

        printf("%d: %d(%d, %d, %d) = %ld", i, kind, a, b, c, result == -1 ? -errno : result);
        getresuid(&ru, &eu, &su);
        getresgid(&rg, &eg, &sg);
        printf(" uids %d %d %d %ld", ru, eu, su, syscall(SYS_setfsuid, -1));
        printf(" gids %d %d %d %ld", rg, eg, sg, syscall(SYS_setfsgid, -1));
        syscall(SYS_capget, &header, data);
        for (int cap = 0; cap < CAPS; cap++) {
            ambient |= (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) << cap;
            bset |= (prctl(PR_CAPBSET_READ, cap) == 1) << cap;
        }
        printf(" caps %x %x %x %x %x", data[0].effective & CAP_MASK, data[0].permitted & CAP_MASK,
               data[0].inheritable & CAP_MASK, ambient, bset);
        printf(" bits %d dumpable %d\n", prctl(PR_GET_SECUREBITS), prctl(PR_GET_DUMPABLE));
    }
    return 0;
}
