/* net_mmsg.c - several messages a call; sendmsg and recvmsg with strange headers. */
#include "net.h"

int main(void)
{
    int s[2];
    char data[4][8];
    struct iovec v[4];
    struct mmsghdr m[4];
    must("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    memset(m, 0, sizeof m);
    for (int i = 0; i < 4; i++) {
        snprintf(data[i], 8, "msg %d", i);
        v[i] = (struct iovec){ data[i], 5 };
        m[i].msg_hdr.msg_iov = &v[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    show("sendmmsg", sendmmsg(s[0], m, 4, 0));
    show("length", m[3].msg_len);
    v[2].iov_len = 3;
    show("recvmmsg", recvmmsg(s[1], m, 3, 0, NULL));
    for (int i = 0; i < 3; i++)
        printf("%u bytes, flags %#x\n", m[i].msg_len, m[i].msg_hdr.msg_flags);
    show("one left", recvmmsg(s[1], m, 4, MSG_WAITFORONE, NULL));
    show("none", recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL));
    show("none at all", sendmmsg(s[0], m, 0, 0));
    sendmmsg(s[0], m, 2, 0);
    show("two of four", recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL));
    struct timespec t = { 0, 2000000000 };
    show("bad time-out", recvmmsg(s[1], m, 4, 0, &t));
    t = (struct timespec){ 0, 0 };
    sendmmsg(s[0], m, 2, 0);
    show("time is up", recvmmsg(s[1], m, 4, 0, &t));
    recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL);
    v[1].iov_base = (void *)8;
    show("second faults", sendmmsg(s[0], m, 4, 0));
    show("first faults", sendmmsg(s[0], m + 1, 1, 0));
    show("fault", syscall(SYS_sendmmsg, s[0], 8L, 1L, 0L));
    show("compat flag", syscall(SYS_sendmsg, s[0], m, 0x80000000L));

    struct msghdr h = { .msg_iov = v, .msg_iovlen = 1 };
    h.msg_iovlen = 1025;
    show("1025 pieces", syscall(SYS_sendmsg, s[0], &h, 0L));
    h.msg_iovlen = 1;
    h.msg_name = data[0];
    h.msg_namelen = -1;
    show("name of -1", syscall(SYS_sendmsg, s[0], &h, 0L));
    show("receive, name of -1", syscall(SYS_recvmsg, s[1], &h, (long)MSG_DONTWAIT));
    h.msg_name = NULL;
    show("no name of -1", syscall(SYS_sendmsg, s[0], &h, 0L));
    h.msg_name = (void *)8;
    h.msg_namelen = 10;
    show("name faults", syscall(SYS_sendmsg, s[0], &h, 0L));
    show("receive, name faults", syscall(SYS_recvmsg, s[1], &h, (long)MSG_DONTWAIT));
    h.msg_name = NULL;
    h.msg_namelen = 0;
    h.msg_control = (void *)8;
    h.msg_controllen = 16;
    show("control faults", syscall(SYS_sendmsg, s[0], &h, 0L));
    h.msg_controllen = 1 << 30;
    show("much control", syscall(SYS_sendmsg, s[0], &h, 0L));
    h.msg_control = NULL;
    h.msg_controllen = 0;
    h.msg_iov = NULL;
    h.msg_iovlen = 0;
    show("nothing", sendmsg(s[0], &h, 0));
    struct sockaddr_un a;
    memset(&a, 'x', sizeof a);
    h.msg_name = &a;
    h.msg_namelen = sizeof a;
    show("receive nothing", syscall(SYS_recvmsg, s[1], &h, (long)MSG_DONTWAIT));
    show("name size", h.msg_namelen);
    show("flags", h.msg_flags);
    show("receive nothing", syscall(SYS_recvmsg, s[1], &h, (long)MSG_DONTWAIT));
    return 0;
}
