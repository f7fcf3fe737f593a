/* execvp(3): a name without a slash is looked for in PATH. But what the kernel takes for no program is none: a shell
   that read it all the same would fail with a status that looks like the program's. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LONGEST = 4096 };

static bool join_path(char *path, const char *directory, size_t size, const char *name);
static const char *search_path(void);

int execvp(const char *name, char *const words[])
{
    char path[LONGEST];
    bool denied = false;
    if (strchr(name, '/'))
        return execve(name, words, environ);
    errno = ENOENT;
    for (const char *at = search_path(); *name != '\0'; at++) {
        size_t size = strcspn(at, ":");
        if (join_path(path, at, size, name)) {
            execve(path, words, environ);
            denied |= errno == EACCES;
            if (errno != EACCES && errno != ENOENT && errno != ENOTDIR)
                return -1;
        }
        at += size;
        if (*at == '\0')
            break;
    }
    if (denied)
        errno = EACCES;
    return -1;
}

int execve(const char *path, char *const words[], char *const variables[])
{
    return (int)syscall(SYS_execve, path, words, variables);
}

int execl(const char *path, const char *word, ...)
{
    const char *words[16] = {word};
    va_list list;
    va_start(list, word);
    for (size_t index = 0; index + 1 < sizeof words / sizeof *words && words[index]; index++)
        words[index + 1] = index + 2 < sizeof words / sizeof *words ? va_arg(list, const char *) : NULL;
    va_end(list);
    return (int)syscall(SYS_execve, path, words, environ);
}

static const char *search_path(void)
{
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, "PATH=", 5) == 0)
            return *variable + 5;
    return "/bin:/usr/bin";
}

/* An empty directory is the working directory. */
static bool join_path(char *path, const char *directory, size_t size, const char *name)
{
    size_t length = strlen(name);
    if (size + length + 2 > LONGEST)
        return false;
    memcpy(path, directory, size);
    path[size] = '/';
    memcpy(path + size + (size > 0 ? 1 : 0), name, length + 1);
    return true;
}
