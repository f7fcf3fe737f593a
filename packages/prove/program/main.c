/* A program that attacks the sandbox that it is in, one attempt for each word: `attacks write /etc/passwd`. What came out
 * stands on standard output, a line for each way that it tried. The host's side runs it, too, outside: to see that the
 * attempt succeeds where nothing forbids it, and for what Node has no call for. It changes nothing that it did not make. */
#include "program.h"

static const struct {
    const char *name;
    attack *run;
} attacks[] = {
    {"write", attack_write},
    {"read", attack_read},
    {"reach", attack_reach},
    {"above", attack_above},
    {"link", attack_link},
    {"make", attack_make},
    {"set-id", attack_set_id},
    {"node", attack_node},
    {"lock", attack_lock},
    {"devices", attack_devices},
    {"change", attack_change},
    {"handle", attack_handle},
    {"by-handle", attack_by_handle},
    {"victim", attack_victim},
    {"signal", attack_signal},
    {"trace", attack_trace},
    {"init", attack_init},
    {"survive", attack_survive},
    {"sleep", attack_sleep},
    {"fds", attack_fds},
    {"environment", attack_environment},
    {"ids", attack_ids},
    {"namespaces", attack_namespaces},
    {"privileges", attack_privileges},
    {"user-namespace", attack_user_namespace},
    {"bare", attack_bare},
    {"mount", attack_mount},
    {"hostname", attack_hostname},
    {"cgroup", attack_cgroup},
    {"leave-root", attack_leave_root},
    {"queue-make", attack_queue_make},
    {"queue-find", attack_queue_find},
    {"queue-remove", attack_queue_remove},
    {"key-make", attack_key_make},
    {"key-find", attack_key_find},
    {"key-remove", attack_key_remove},
    {"listen", attack_listen},
    {"abstract", attack_abstract},
    {"socket", attack_socket},
    {"loopback", attack_loopback},
    {"route", attack_route},
    {"interfaces", attack_interfaces},
    {"families", attack_families},
    {"unlock", attack_unlock},
    {"type", attack_type},
    {"calls", attack_calls},
    {"memory", attack_memory},
    {"processes", attack_processes},
    {"burn", attack_burn},
    {"address-space", attack_address_space},
    {"file-size", attack_file_size},
    {"open-files", attack_open_files},
    {"stack", attack_stack},
    {"raise", attack_raise},
    {"fill", attack_fill},
    {"inodes", attack_inodes},
};

int main(int count, char **words)
{
    for (size_t index = 0; count > 1 && index < sizeof attacks / sizeof *attacks; index++) {
        if (!is_text(words[1], attacks[index].name))
            continue;
        attacks[index].run(words + 2);
        say("end", words[1]); /* or else it was ended on the way */
        return 0;
    }
    return 2;
}
