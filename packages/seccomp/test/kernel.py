# Loads a filter into this process: `FILE run COMMAND...` executes a command under it; `FILE ask` makes calls, a line of JSON
# with the number and the arguments of each, in a process of its own, and answers with its result, "errno N" or "signal N".
import ctypes, json, os, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def load(path):
    with open(path, "rb") as file:
        code = file.read()
    program = Program(len(code) // 8, code)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0):
        sys.exit(f"the kernel refuses the filter: {os.strerror(ctypes.get_errno())}")


def ask(number, args):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        load(sys.argv[1])
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *[ctypes.c_ulong(int(each)) for each in args])
        os.write(writing, (f"errno {ctypes.get_errno()}" if result == -1 else "done").encode())
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    answer = os.read(reading, 100).decode()
    os.close(reading)
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else answer


if sys.argv[2] == "run":
    load(sys.argv[1])
    os.execvp(sys.argv[3], sys.argv[3:])
for line in sys.stdin:
    call = json.loads(line)
    print(ask(call["number"], call["args"]))
