#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher.h"
#include "sys.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static bool has_seals(int file);
static int clone_file(int file, const char **what);
static int new_file(void);

void run_as_clone(char **words)
{
    char *const none[] = {NULL};
    const char *what = "open /proc/self/exe";
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file >= 0 && has_seals(file)) {
        close(file);
        return; /* this process is the copy */
    }
    int copy = file < 0 ? -1 : clone_file(file, &what);
    if (copy < 0)
        fail(FAILED_SETUP, errno, what);
    sys_execveat(copy, words, none);
    fail(FAILED_SETUP, errno, "execveat");
}

void serve_clone(const char *path)
{
    char number[NUMBER], byte;
    const char *what = "open";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int copy = file < 0 ? -1 : clone_file(file, &what);
    if (copy < 0)
        exit_with_error(what, errno);
    const char *text = decimal(number, (uint32_t)copy);
    if (write(1, text, strlen(text)) < 0 || write(1, "\n", 1) < 0)
        exit_with_error("write", errno);
    while (read(0, &byte, 1) > 0)
        ;
    _exit(0);
}

/* Returns the copy; or -1, with errno and the call that failed. */
static int clone_file(int file, const char **what)
{
    struct stat info;
    *what = "fstat";
    if (fstat(file, &info) != 0)
        return -1;
    *what = "it is no regular file";
    errno = EINVAL;
    if (!S_ISREG(info.st_mode))
        return -1;
    *what = "memfd_create";
    int copy = new_file();
    if (copy < 0)
        return -1;
    *what = "sendfile";
    for (off_t left = info.st_size; left > 0;) {
        ssize_t copied = sys_sendfile(copy, file, (size_t)left);
        if (copied == 0)
            errno = EIO;
        if (copied <= 0)
            return -1;
        left -= copied;
    }
    *what = "fcntl(F_ADD_SEALS)";
    /* Linux before 6.3 does not know F_SEAL_EXEC. There somebody may change the mode, which can only keep the copy from
     * being executed. */
    if (fcntl(copy, F_ADD_SEALS, (long)(SEALS | F_SEAL_EXEC)) != 0 &&
        fcntl(copy, F_ADD_SEALS, (long)SEALS) != 0)
        return -1;
    errno = EPERM;
    return has_seals(copy) ? copy : -1;
}

static bool has_seals(int file)
{
    long seals = fcntl(file, F_GET_SEALS, 0L);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

/* Linux before 6.3 does not know MFD_EXEC, and needs none. */
static int new_file(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int file = sys_memfd_create("sandboxlib-clone", flags | MFD_EXEC);
    return file < 0 && errno == EINVAL ? sys_memfd_create("sandboxlib-clone", flags) : file;
}
