/* spawn COUNT PROGRAM [ARG...]: how long a small program that is no Node program waits for another one, in milliseconds:
 * posix_spawn(3) and waitpid(2). */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "clock.h"

int main(int count, char **words)
{
    extern char **environ;
    const int all = count > 2 ? atoi(words[1]) : 0;
    if (all <= 0)
        return 2;
    const double start = milliseconds();
    for (int done = 0; done < all; done++) {
        pid_t pid;
        int status;
        if (posix_spawn(&pid, words[2], NULL, NULL, words + 2, environ) != 0 || waitpid(pid, &status, 0) != pid ||
            status != 0)
            return 1;
    }
    printf("%f\n", (milliseconds() - start) / all);
    return 0;
}
