#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frame.h"
#include "outcome.h"

static void settle_courier(uint8_t mode);

uint8_t *share_memory(void)
{
    long memory = syscall(SYS_mmap, NULL, (long)LARGEST_FRAME, (long)(PROT_READ | PROT_WRITE),
                          (long)(MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE), -1L, 0L);
    if (memory == -1)
        fail(FAILED_SETUP, errno, "mmap");
    return (uint8_t *)memory;
}

size_t read_setup(uint8_t *shared, uint32_t namespaces, struct setup *setup)
{
    struct frame frame;
    enum frame_read got = read_frame_at(&frame, shared);
    if (got == FRAME_END)
        _exit(0);
    if (got == FRAME_BROKEN || frame.type != 'S')
        fail(FAILED_PROTOCOL, 0, "the first frame is no set-up");
    const char *wrong = parse_setup(frame.payload, frame.size, setup);
    if (!wrong && setup->namespaces != namespaces)
        wrong = "the namespaces are not those of the start";
    if (wrong)
        fail(FAILED_PROTOCOL, 0, wrong);
    settle_courier(setup->mode);
    return frame.size;
}

void take_setup(const uint8_t *shared, size_t size, struct setup *setup)
{
    const char *wrong = parse_setup(shared + 1, size, setup);
    if (wrong)
        fail(FAILED_PROTOCOL, 0, wrong);
    settle_courier(setup->mode);
}

static void settle_courier(uint8_t mode)
{
    if (mode == MODE_RUN)
        close(COURIER_FD);
    else if (!is_socket(COURIER_FD) || fcntl(COURIER_FD, F_SETFD, FD_CLOEXEC) != 0)
        fail(FAILED_PROTOCOL, 0, "fd 4 is not a socket");
}

bool is_socket(int fd)
{
    int domain, type;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}
