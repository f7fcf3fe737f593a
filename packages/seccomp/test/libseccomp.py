# Compiles policies with libseccomp: a line of JSON each, answered by a line of hexadecimal digits, or "error".
import json, os, sys, tempfile
import seccomp

ACTIONS = {"SCMP_ACT_ALLOW": seccomp.ALLOW, "SCMP_ACT_KILL_PROCESS": seccomp.KILL_PROCESS, "SCMP_ACT_LOG": seccomp.LOG,
           "SCMP_ACT_TRAP": seccomp.TRAP, "SCMP_ACT_KILL_THREAD": seccomp.KILL}
OPERATORS = {"NE": seccomp.NE, "LT": seccomp.LT, "LE": seccomp.LE, "EQ": seccomp.EQ, "GE": seccomp.GE,
             "GT": seccomp.GT, "MASKED_EQ": seccomp.MASKED_EQ}


def action(name, number):
    return seccomp.ERRNO(1 if number is None else number) if name == "SCMP_ACT_ERRNO" else ACTIONS[name]


def argument(arg):
    operator = OPERATORS[arg["op"].replace("SCMP_CMP_", "")]
    if operator == seccomp.MASKED_EQ:
        return seccomp.Arg(arg["index"], operator, int(arg["value"]), int(arg.get("valueTwo", 0)))
    return seccomp.Arg(arg["index"], operator, int(arg["value"]))


def compiled(policy):
    made = seccomp.SyscallFilter(action(policy["defaultAction"], policy.get("defaultErrnoRet")))
    made.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    if policy.get("optimize"):
        made.set_attr(seccomp.Attr.CTL_OPTIMIZE, policy["optimize"])
    for arch in policy.get("arches", []):
        made.add_arch(getattr(seccomp.Arch, arch))
    for rule in policy["syscalls"]:
        for name in rule["names"]:
            try:
                made.add_rule(action(rule["action"], rule.get("errnoRet")), name, *map(argument, rule.get("args") or []))
            except RuntimeError:
                if not policy.get("tolerant"):
                    raise
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read().hex()


for line in sys.stdin:
    try:
        print(compiled(json.loads(line)), flush=True)
    except Exception as error:
        print("error", error, file=sys.stderr)
        print("error", flush=True)
