/* Attacks by sockets. */
#include "program.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t address_of(struct sockaddr_un *address, const char *name, bool is_abstract)
{
    size_t size = strlen(name), first = is_abstract ? 1 : 0;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (size + first >= sizeof address->sun_path)
        size = sizeof address->sun_path - first - 1;
    memcpy(address->sun_path + first, name, size);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + first + size);
}

/* Listens at an abstract address until standard input ends, and says so of each that connects. */
void attack_listen(char **words)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = address_of(&address, *words, true);
    if (syscall(SYS_bind, fd, &address, size) != 0 || syscall(SYS_listen, fd, 8) != 0)
        return refused("listen", *words, errno);
    say("ready", *words);
    if (sys_fork() == 0) {
        for (;;) {
            long other = syscall(SYS_accept4, fd, NULL, NULL, 0);
            if (other < 0)
                _exit(0);
            say("connected", *words);
            syscall(SYS_close, other);
        }
    }
    wait_for_end();
    syscall(SYS_shutdown, fd, 2); /* which ends the child's accept */
}

static void connect_to(const char *name, bool is_abstract)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    struct sockaddr_un address;
    socklen_t size = address_of(&address, name, is_abstract);
    long result = -1;
    for (size_t index = 0; index < 3 && result != 0; index++) {
        int fd = socket(AF_UNIX, types[index] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        result = syscall(SYS_connect, fd, &address, size);
        int error = errno;
        close(fd);
        errno = error;
        if (result != 0 && error != EPROTOTYPE)
            break;
    }
    tried("connect to", name, result);
}

void attack_abstract(char **words)
{
    connect_to(*words, true);
}

void attack_socket(char **words)
{
    for (; *words; words++)
        connect_to(*words, false);
}

static uint16_t network_order(uint64_t port)
{
    return (uint16_t)((port & 255) << 8 | (port >> 8 & 255));
}

/* Connects to a port of this machine, in three ways. */
void attack_loopback(char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = network_order(number_of(*words))};
    address.sin_addr.s_addr = 0x0100007fU; /* 127.0.0.1, the other way round */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tried("connect", "", syscall(SYS_connect, fd, &address, sizeof address));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tried("send with MSG_FASTOPEN", "",
          syscall(SYS_sendto, fd, "x", 1UL, MSG_FASTOPEN | MSG_NOSIGNAL, &address, sizeof address));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262 /* IPPROTO_MPTCP */);
    tried("connect with MPTCP", "", fd < 0 ? fd : syscall(SYS_connect, fd, &address, sizeof address));
}

/* Whether there is a way to an address of documentation, to which nothing is sent. */
void attack_route(char **words)
{
    (void)words;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = network_order(9)};
    address.sin_addr.s_addr = 0x010200c0U; /* 192.0.2.1 */
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tried("find a way to", "192.0.2.1", syscall(SYS_connect, fd, &address, sizeof address));
}

/* Which interfaces there are, but for the loopback. */
void attack_interfaces(char **words)
{
    (void)words;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refused("find", "", errno);
    for (int index = 1; index < 256; index++) {
        struct ifreq request;
        memset(&request, 0, sizeof request);
        request.ifr_ifindex = index;
        if (ioctl(fd, SIOCGIFNAME, &request) != 0 || is_text(request.ifr_name, "lo"))
            continue;
        if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP))
            got_at("find", request.ifr_name);
    }
    refused("find", "another", ENODEV);
}

/* Sockets beyond those that programs need: the kernel has many families, and most of its holes in them. */
void attack_families(char **words)
{
    static const struct {
        const char *name;
        int family, type, protocol;
    } families[] = {
        {"ALG", 38, SOCK_SEQPACKET, 0},   {"VSOCK", 40, SOCK_STREAM, 0}, {"PACKET", 17, SOCK_RAW, 0},
        {"BLUETOOTH", 31, SOCK_RAW, 1},   {"CAN", 29, SOCK_RAW, 1},      {"TIPC", 30, SOCK_RDM, 0},
        {"RDS", 21, SOCK_SEQPACKET, 0},   {"KEY", 15, SOCK_RAW, 2},      {"XDP", 44, SOCK_RAW, 0},
        {"SMC", 43, SOCK_STREAM, 0},      {"KCM", 41, SOCK_DGRAM, 0},    {"QIPCRTR", 42, SOCK_DGRAM, 0},
    };
    (void)words;
    for (size_t index = 0; index < sizeof families / sizeof *families; index++) {
        const char *name = families[index].name;
        tried("socket", name, syscall(SYS_socket, families[index].family, families[index].type,
                                      families[index].protocol));
        /* What compares 64 bits takes it for another family. */
        tried("socket with upper bits", name,
              syscall(SYS_socket, 0x100000000UL | (unsigned long)families[index].family,
                      families[index].type, families[index].protocol));
    }
}
