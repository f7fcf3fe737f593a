import type { AbiName } from "./abi.js";
import { ENOSYS, errno, isPassing, type Policy, type Rule } from "./policy.js";

/**
 * Calls whose arguments lie in memory, where no filter sees them, and what can be done through each. One that would pass
 * a rule on the arguments of another is answered with ENOSYS, as an older kernel does, and programs fall back.
 */
const WAYS_ROUND: Readonly<Record<string, readonly string[]>> = {
  clone3: ["clone"],
  io_uring_setup: ["openat", "openat2", "socket"],
  openat2: ["open", "openat", "creat"],
};

const I386_WAYS_ROUND: typeof WAYS_ROUND = {
  ...WAYS_ROUND,
  ipc: "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget".split(
    " ",
  ),
  socketcall:
    `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmsg send
    sendmmsg sendmsg sendto setsockopt shutdown socket socketpair`.split(/\s+/),
};

/** The rules of a policy for one ABI. */
export function narrowed(policy: Policy, abi: AbiName): ReadonlyMap<string, readonly Rule[]> {
  const waysRound = abi === "i386" ? I386_WAYS_ROUND : WAYS_ROUND;
  const rules = new Map(policy.rules);
  for (const [way, calls] of Object.entries(waysRound)) {
    const mayPass = isPassed(policy, way) && calls.some((call) => isRestricted(policy, call));
    if (mayPass) rules.set(way, [{ conditions: [], verdict: errno(ENOSYS) }]);
  }
  return rules;
}

function isPassed(policy: Policy, call: string): boolean {
  return verdictsOf(policy, call).some(isPassing);
}

function isRestricted(policy: Policy, call: string): boolean {
  return !verdictsOf(policy, call).every(isPassing);
}

/** Every verdict that a call may get. */
function verdictsOf({ rules, otherwise }: Policy, call: string): number[] {
  const own = rules.get(call) ?? [];
  const always = own.findIndex(({ conditions }) => conditions.length === 0);
  const reached = always < 0 ? own : own.slice(0, always + 1);
  const verdicts = reached.map(({ verdict }) => verdict);
  return always < 0 ? [...verdicts, otherwise] : verdicts;
}
