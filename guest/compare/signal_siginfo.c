/* What siginfo says for each kind of sender: kill, tkill, sigqueue, raise, abort, children, timers, faults. */
#include "show.h"
#include <setjmp.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

static sigjmp_buf back;
static char *mapped;

static const char *who(pid_t pid)
{
    return pid == getpid() ? "self" : pid == 0 ? "0" : "another";
}

static void tell(int number, siginfo_t *info, void *context)
{
    const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    printf("signal %d si_signo %d si_errno %d si_code %d", number, info->si_signo, info->si_errno, info->si_code);
    switch (number) {
    case SIGCHLD:
        printf(" pid %s uid %d status %d times %d", who(info->si_pid), info->si_uid == getuid(), info->si_status,
               info->si_utime >= 0 && info->si_stime >= 0);
        break;
    case SIGSEGV:
    case SIGBUS:
        if (info->si_code > 0)
            printf(" addr %s trapno %d err %#x cr2 %d",
                   mapped && (char *)info->si_addr >= mapped && (char *)info->si_addr < mapped + 8 * PAGE ? "in the mapping"
                   : (uintptr_t)info->si_addr < PAGE ? "low" : "elsewhere",
                   (int)regs[REG_TRAPNO], (int)regs[REG_ERR], (uintptr_t)regs[REG_CR2] == (uintptr_t)info->si_addr);
        else
            printf(" pid %s", who(info->si_pid));
        break;
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
        printf(" addr is rip %d trapno %d", info->si_addr == (void *)regs[REG_RIP], (int)regs[REG_TRAPNO]);
        break;
    case SIGALRM:
    case SIGPIPE:
        printf(" pid %s", who(info->si_pid));
        break;
    default:
        printf(" pid %s uid %d value %d", who(info->si_pid), info->si_uid == getuid(),
               info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
    }
    putchar('\n');
    if (info->si_code > 0 && (number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL))
        siglongjmp(back, 1);
}

static void child(int how)
{
    int status;
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &old);
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction usual = {.sa_handler = SIG_DFL};
        sigaction(SIGABRT, &usual, NULL);
        if (how < 0)
            _exit(-how);
        raise(how);
        for (;;)
            pause();
    }
    sigsuspend(&old);
    if (how == SIGSTOP) {
        waitpid(pid, &status, WUNTRACED);
        printf("stopped: status %#x\n", status);
        kill(pid, SIGCONT);
        sigsuspend(&old);
        kill(pid, SIGKILL);
        sigsuspend(&old);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    waitpid(pid, &status, 0);
    printf("status %#x\n", status & ~0x80);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | SA_RESTART};
    int numbers[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM, SIGPIPE,
                     SIGRTMIN, SIGURG, SIGABRT};
    int ends[2], status;
    for (size_t i = 0; i < COUNT(numbers); i++)
        sigaction(numbers[i], &action, NULL);
    kill(getpid(), SIGUSR1);
    raise(SIGUSR1);
    union sigval value = {.sival_int = 0x12345678};
    sigqueue(getpid(), SIGUSR2, value);
    sigqueue(getpid(), SIGRTMIN, value);
    syscall(SYS_tkill, getpid(), SIGHUP);
    kill(getpid(), SIGSEGV);
    kill(0, 0);
    if (fork() == 0) {
        kill(getppid(), SIGUSR1);
        usleep(20000);
        sigqueue(getppid(), SIGUSR2, value);
        usleep(20000);
        _exit(0);
    }
    while (wait(&status) == -1)
        continue;
    puts("-- children");
    child(-7);
    child(SIGKILL);
    child(SIGTERM);
    child(SIGSTOP);
    puts("-- timers");
    struct itimerval soon = {{0, 0}, {0, 2000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    pause();
    pipe(ends);
    close(ends[0]);
    show("write", write(ends[1], "x", 1));
    puts("-- faults");
    mapped = pages(8);
    mprotect(mapped + PAGE, PAGE, PROT_READ);
    mprotect(mapped + 2 * PAGE, PAGE, PROT_NONE);
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)64 = 1;
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)(mapped + PAGE + 100) = 1;
    if (sigsetjmp(back, 1) == 0)
        printf("%d\n", *(volatile char *)(mapped + 2 * PAGE));
    if (sigsetjmp(back, 1) == 0)
        ((void (*)(void))mapped)();
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)0x8000000000000000 = 1;
    munmap(mapped + 3 * PAGE, PAGE);
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)(mapped + 3 * PAGE + 5) = 1;
    put_file("short", "x");
    int fd = open("short", O_RDWR);
    mmap(mapped + 4 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)(mapped + 5 * PAGE + 5) = 1;
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("xorl %%edx, %%edx\n\txorl %%ecx, %%ecx\n\tdivl %%ecx" ::: "eax", "ecx", "edx");
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("ud2");
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("hlt");
    __asm__ volatile("int3");
    abort();
}
