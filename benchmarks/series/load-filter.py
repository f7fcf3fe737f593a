# Loads a filter into a child process over and over: `FILE`. For each line of standard input it answers with the microseconds
# that one load takes, the median of some.
import ctypes, os, struct, sys, time

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


with open(sys.argv[1], "rb") as file:
    code = file.read()
program = Program(len(code) // 8, code)


def once():
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        begin = time.perf_counter_ns()
        failed = libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0)
        os.write(writing, struct.pack("q", -1 if failed else time.perf_counter_ns() - begin))
        os._exit(0)
    (taken,) = struct.unpack("q", os.read(reading, 8))
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)
    if taken < 0:
        sys.exit("the kernel refuses the filter")
    return taken / 1000


for _ in sys.stdin:
    print(sorted(once() for _ in range(9))[4], flush=True)
