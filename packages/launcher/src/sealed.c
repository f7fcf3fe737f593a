#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outcome.h"
#include "sys.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int new_file(void);

void run_sealed_copy(char **words)
{
    char *const none[] = {NULL};
    struct stat info;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0)
        fail(FAILED_SETUP, errno, "open /proc/self/exe");
    if (fcntl(file, F_GET_SEALS, 0L) == SEALS) {
        close(file);
        return; /* it is the copy */
    }
    int copy = new_file();
    for (off_t left = info.st_size; left > 0;) {
        ssize_t copied = sys_sendfile(copy, file, (size_t)left);
        if (copied <= 0)
            fail(FAILED_SETUP, copied < 0 ? errno : EIO, "sendfile");
        left -= copied;
    }
    if (fcntl(copy, F_ADD_SEALS, (long)SEALS) != 0 || fcntl(copy, F_GET_SEALS, 0L) != SEALS)
        fail(FAILED_SETUP, errno, "fcntl(F_ADD_SEALS)");
    sys_execveat(copy, words, none);
    fail(FAILED_SETUP, errno, "execveat");
}

/* Linux before 6.3 does not know MFD_EXEC, and needs none. */
static int new_file(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int file = sys_memfd_create("sandboxlib-launcher", flags | MFD_EXEC);
    if (file < 0 && errno == EINVAL)
        file = sys_memfd_create("sandboxlib-launcher", flags);
    if (file < 0)
        fail(FAILED_SETUP, errno, "memfd_create");
    return file;
}
