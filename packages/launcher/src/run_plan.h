/* A run of a plan: this process takes the place of core. What fails ends it, see `refuse`. */
#ifndef SANDBOXLIB_RUN_PLAN_H
#define SANDBOXLIB_RUN_PLAN_H

#include <poll.h>
#include <sys/types.h>

#include "plan.h"

/* `words`: maybe `--result-file` and a file, the plan's file, and maybe `--` and the command. */
_Noreturn void run_plan(char **words);

/* Reads a plan, and refuses one that is not the caller's, or whose world has changed: plan_check.c. */
void read_plan(const char *path, struct plan *plan);

/* The command: plan_command.c. */

struct planned_command {
    struct report frame;             /* its data is NULL once it is sent */
    uint64_t cpu_seconds, file_size; /* limits that may end the program, UINT64_MAX: none */
};

/* `argv`: NULL for the plan's own. */
struct planned_command encode_planned_command(const struct plan *plan, const uint8_t streams[3], char **argv);

/* The launcher that this process has started: plan_supervise.c. */

/* Sends it the command when the sandbox is as planned, and ends as the program does. */
_Noreturn void supervise_planned_run(const struct plan *plan, struct planned_command *command, pid_t started, int signals);

/* Ends this process as an `F` of the launcher demands: plan_failure.c. */
_Noreturn void report_planned_failure(const struct frame *frame);

/* Ends the sandbox, if there is one, and waits for its end. */
void stop_planned_run(void);

/* Whether what the launcher read back, the payload of an `R`, is what the plan asked for: plan_verify.c. */
bool is_as_planned(const uint8_t *payload, size_t size, const struct setup *setup);

/* Time: plan_deadline.c. */

/* Starts the clock of the run. */
void start_planned_time(void);
/* Microseconds since then. */
uint64_t planned_time(void);
/* What is to be done when the plan's time limit is reached. */
void set_planned_deadline(const struct plan *plan);
/* When there is something to do next, on the clock of the run; UINT64_MAX: never. */
uint64_t next_planned_deadline(void);
/* Does what is due. False when the run has to be given up: there is no program yet, or it does not end. */
bool keep_planned_deadline(bool has_program);
/* Kills the program and all that it has started, and sees to it that this is the end. */
void kill_planned_program(void);
/* Whether the program has used up its time when it took so long, and whether that has killed it. */
bool has_timed_out(uint64_t taken);
bool was_killed_in_time(void);

/* Masks: plan_masks.c. */

/* Opens the table of mounts of the sandbox whose pid 1 this is. */
void open_planned_masks(const struct plan *plan, uint32_t pid);
/* Refuses to go on when one of them is gone. */
void look_at_planned_masks(void);
/* The same, but not more often than is worth it; for a loop. Returns when to look next, as with deadlines. */
uint64_t look_at_planned_masks_in_time(void);

/* The signals of this process: plan_signals.c. */

/* Blocks those that are for the program, and gives the fd that reads them. */
int watch_planned_signals(void);
/* Reads one and sends it on, or what it means. False when the run has to be given up, as there is no program yet; then
 * it sets how such a program would have ended. */
bool forward_planned_signal(int fd, bool has_program, int *status);
void send_planned_signal(int number);
/* The name that core has for a signal. */
enum { SIGNAL_NAME = 32 };
const char *signal_name(int number, char buffer[SIGNAL_NAME]);
/* Whether a second signal has killed the program. */
bool was_killed_by_caller(void);
/* Ends as a program with this status of wait(2) has: of the signal, where that came to this process first. */
_Noreturn void end_like(int status);

/* Standard streams that are not handed on, because who has a file open may change its mode: plan_streams.c. */

enum { RELAYS = 3 };

/* Looks at the streams. Sets what the command is to get for each, and what fds the launcher is to get; makes pipes where
 * this process has to copy. */
void open_planned_streams(uint8_t streams[3], int fds[3]);

/* Closes the program's ends in this process. */
void close_planned_streams(int fds[3]);

/* Says what to wait for, and copies what is there. */
void watch_planned_streams(struct pollfd watched[RELAYS]);
void copy_planned_streams(const struct pollfd watched[RELAYS]);

/* Stops reading the input, as the program has ended; false when no output is left to copy. */
bool has_planned_output(void);

/* The outcome: plan_outcome.c. */

enum { USAGE_NUMBERS = 9 };

/* What is known of a program at its end. */
struct planned_end {
    int status;      /* of wait(2) */
    bool has_usage;  /* it was heard of, and with it the numbers of an `X` */
    uint64_t usage[USAGE_NUMBERS];
    uint64_t taken;  /* microseconds */
};

enum planned_outcome { EXITED, SIGNALED, TIMED_OUT, CPU_TIME_EXCEEDED, FILE_SIZE_EXCEEDED };

enum planned_outcome outcome_of(const struct planned_end *end, const struct planned_command *command);

/* Says on standard error what the exit status does not tell, and ends as the outcome demands. */
_Noreturn void end_with(enum planned_outcome outcome, int status);

/* The file of the result: plan_result.c. */

/* Removes an older one, and makes sure that a new one can be written. The plan must not be it. */
void open_result(const char *path, const char *plan);
/* Each does nothing where no such file was asked for. */
void write_result(enum planned_outcome outcome, const struct planned_end *end, const struct plan *plan,
                  const struct planned_command *command);
void write_error(const char *code, const char *field, const char *message);

/* Errors: plan_error.c. */

enum { EXIT_USAGE = 2, EXIT_TIMED_OUT = 124, EXIT_NO_SANDBOX = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* What has failed, in the words of the result file. */
struct planned_error {
    const char *code;
    const char *subject; /* a file, a stream or a field; may be empty */
    bool is_field;       /* of the config */
    const char *what;
    int error; /* errno, 0: none */
    int exit_status;
};

/* Says on standard error and in the result file what is wrong with what, and exits as a run that could not be made. */
_Noreturn void refuse(const char *subject, const char *what, int error);
_Noreturn void refuse_as(const struct planned_error *error);

/* Writes a line to standard error, if that is there. */
void tell(const char *line);

#endif
