#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "handover.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static const char *open_pair(const struct command *command, int *master, int *slave);

static int terminals = -1;

void keep_terminals(int devpts)
{
    if (terminals < 0)
        terminals = devpts;
    else
        close(devpts);
}

/* The launcher may take it as late as after the end of the program: what is on its way in a socket stays open. */
const char *open_terminal(int launcher, const struct command *command, const int streams[3], int *slave)
{
    int master;
    const char *failed = open_pair(command, &master, slave);
    if (failed)
        return failed;
    const struct handover handover = {.id = command->id, .fds = {streams[0], streams[1], master}};
    if (!hand_over(launcher, &handover))
        failed = "sendmsg";
    else if (ioctl(*slave, TIOCSCTTY, 0) != 0)
        failed = "ioctl(TIOCSCTTY)";
    int error = errno;
    close(master);
    errno = error;
    return failed;
}

/* The slave is opened by way of the master: nothing that is mounted on the way to its name matters. */
static const char *open_pair(const struct command *command, int *master, int *slave)
{
    const struct winsize size = {.ws_col = command->columns, .ws_row = command->rows};
    int unlocked = 0;
    errno = ENXIO;
    *master = terminals < 0 ? -1 : openat(terminals, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (*master < 0)
        return "open ptmx";
    if (ioctl(*master, TIOCSPTLCK, &unlocked) != 0)
        return "ioctl(TIOCSPTLCK)";
    if (ioctl(*master, TIOCSWINSZ, &size) != 0)
        return "ioctl(TIOCSWINSZ)";
    *slave = ioctl(*master, TIOCGPTPEER, (void *)(long)(O_RDWR | O_NOCTTY | O_CLOEXEC));
    return *slave < 0 ? "ioctl(TIOCGPTPEER)" : NULL;
}
