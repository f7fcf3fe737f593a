/* The entry point of the program, in place of a libc's: relocates it, and calls main. */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start_at\n");
enum { RELATIVE = R_X86_64_RELATIVE };
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tand sp, x0, #-16\n\tb start_at\n");
enum { RELATIVE = R_AARCH64_RELATIVE };
#else
#error "there is no entry point for this processor"
#endif

int main(int count, char **words);
void start_at(uintptr_t *stack);
void __stack_chk_fail(void);

static void relocate(void);
static void protect(uintptr_t page_size);

char **environ;
/* The value that the compiler's stack protector puts at the end of each frame. */
uintptr_t __stack_chk_guard;

/* The linker's name for the start of the file in memory. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* The stack is as execve(2) leaves it: the number of arguments, the arguments, NULL, the environment, NULL, and the
 * auxiliary vector, pairs of which the last is AT_NULL. */
__attribute__((no_stack_protector)) void start_at(uintptr_t *stack)
{
    relocate();
    int count = (int)stack[0];
    char **words = (char **)(stack + 1);
    environ = words + count + 1;
    char **end = environ;
    while (*end)
        end++;
    uintptr_t page_size = 4096;
    for (const uintptr_t *pair = (const uintptr_t *)(end + 1); pair[0] != AT_NULL; pair += 2) {
        if (pair[0] == AT_RANDOM)
            memcpy(&__stack_chk_guard, (const void *)pair[1], sizeof __stack_chk_guard);
        if (pair[0] == AT_PAGESZ)
            page_size = pair[1];
    }
    protect(page_size);
    _exit(main(count, words));
}

/* The program runs at an address that the kernel chooses, so each pointer in its data has to be moved by that much. The
 * linker leaves no other kind of relocation in a static program. */
__attribute__((no_stack_protector)) static void relocate(void)
{
    const uintptr_t base = (uintptr_t)&__ehdr_start;
    const Elf64_Phdr *header = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    const Elf64_Rela *relocation = NULL;
    uintptr_t size = 0;
    while (header->p_type != PT_DYNAMIC)
        header++;
    for (const Elf64_Dyn *entry = (const Elf64_Dyn *)(base + header->p_vaddr); entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_RELA)
            relocation = (const Elf64_Rela *)(base + entry->d_un.d_ptr);
        if (entry->d_tag == DT_RELASZ)
            size = entry->d_un.d_val;
    }
    for (uintptr_t left = size / sizeof *relocation; left > 0; left--, relocation++) {
        if (ELF64_R_TYPE(relocation->r_info) != RELATIVE)
            __builtin_trap();
        *(uintptr_t *)(base + relocation->r_offset) = base + (uintptr_t)relocation->r_addend;
    }
}

/* Makes the constants that hold pointers read-only, which they could not be before they were relocated. */
static void protect(uintptr_t page_size)
{
    const uintptr_t base = (uintptr_t)&__ehdr_start;
    const Elf64_Phdr *header = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    for (int left = __ehdr_start.e_phnum; left > 0; left--, header++) {
        if (header->p_type != PT_GNU_RELRO)
            continue;
        uintptr_t start = (base + header->p_vaddr) & ~(page_size - 1);
        uintptr_t end = (base + header->p_vaddr + header->p_memsz) & ~(page_size - 1);
        if (end > start && mprotect((void *)start, end - start, PROT_READ) != 0)
            _exit(1);
    }
}

void __stack_chk_fail(void)
{
    __builtin_trap();
}
