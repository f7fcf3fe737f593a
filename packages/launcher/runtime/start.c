/* Where the kernel starts the program, in place of the start of a libc. glibc asks the processor for its
 * features before main, and in a virtual machine each answer is an exit to the hypervisor: half a
 * millisecond for every launch. The launcher has no use for them. */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **words);
void start_at(uintptr_t *stack);

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start_at\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tand sp, x0, #-16\n\tb start_at\n");
#else
#error "there is no start for this processor"
#endif

char **environ;
/* What the compiler puts at the end of each stack frame, and looks at before it returns. */
uintptr_t __stack_chk_guard;
void __stack_chk_fail(void);

/* The stack as execve(2) leaves it: the count, the words, NULL, the environment, NULL, and pairs that
 * end with AT_NULL. */
__attribute__((no_stack_protector)) void start_at(uintptr_t *stack)
{
    int count = (int)stack[0];
    char **words = (char **)(stack + 1);
    environ = words + count + 1;
    char **end = environ;
    while (*end)
        end++;
    for (const uintptr_t *pair = (const uintptr_t *)(end + 1); pair[0] != AT_NULL; pair += 2)
        if (pair[0] == AT_RANDOM)
            memcpy(&__stack_chk_guard, (const void *)pair[1], sizeof __stack_chk_guard);
    _exit(main(count, words));
}

void __stack_chk_fail(void)
{
    __builtin_trap();
}
