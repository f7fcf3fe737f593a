import type { Host } from "@sandboxlib/core/backend";
import { type Attempt, attempt } from "./attempt.js";
import { diagnose } from "./diagnose.js";
import { type Observed, observe } from "./observe.js";
import type { Layer } from "./places.js";
import { commandOf, STEPS, type Step } from "./steps.js";

/** The result of one check of the host. */
export interface Finding {
  /** What was tried, with a command by which the user can try it again. */
  readonly what: string;
  readonly works: boolean;
  /** What refuses it. */
  readonly layer?: Layer;
  /** Why it does not work. */
  readonly cause?: string;
  /** A command that makes it work, or other advice; several, each on a line. */
  readonly fix?: string;
}

interface Check {
  readonly what: string;
  readonly step: Step;
  /** Parts of it, which are tried when it is refused: the first that is refused, too, tells the cause. */
  readonly parts: readonly Step[];
}

const USER: Check = {
  what: "user namespaces, and mounts in them",
  step: "mount",
  parts: ["call", "user", "map"],
};

/** Only done where the check above succeeds: otherwise they would report the same cause again. */
const IN_USER: readonly Check[] = [
  { what: "network namespaces", step: "net", parts: [] },
  { what: "pid namespaces with a procfs of their own", step: "proc", parts: [] },
];

/** Not for root, who maps whatever ids it likes. */
const RANGE: Check = { what: "the subordinate ids of this user", step: "range", parts: [] };

const ROOT: Check = { what: "mounts as root", step: "root", parts: ["call"] };

/** Tries what sandboxes need of the kernel, each in a process of its own that has a time limit. */
export async function checkHost(host: Host): Promise<Finding[]> {
  if (host.platform !== "linux") return [];
  const unshare = host.which("unshare");
  if (unshare === undefined) {
    const cause = "unshare(1), which tries them, is not installed";
    return [{ what: USER.what, works: false, cause, fix: "Install the package util-linux." }];
  }
  const program = host.which("true") ?? "/bin/true";
  const tried = (step: Step): Promise<Attempt> => attempt([unshare, ...STEPS[step], "--", program]);
  const observed = await observe(host);
  const user = await check(USER, tried, observed);
  const inUser = user.works && user.layer === undefined;
  const more = [
    ...(inUser ? IN_USER : []),
    ...(inUser && host.uid !== 0 && (await knows(host, unshare, "--map-auto")) ? [RANGE] : []),
    ...(host.uid === 0 ? [ROOT] : []),
  ];
  return [user, ...(await Promise.all(more.map((one) => check(one, tried, observed))))];
}

/** Whether a tool has an option that is younger than others: it came with util-linux 2.38. */
async function knows(host: Host, tool: string, option: string): Promise<boolean> {
  return (await host.run([tool, "--help"])).stdout.includes(option);
}

type Try = (step: Step) => Promise<Attempt>;

async function check({ what, step, parts }: Check, tried: Try, host: Observed): Promise<Finding> {
  const shown = `${what} (${commandOf(step)})`;
  const whole = await tried(step);
  if (whole.state === "worked") return { what: shown, works: true };
  for (const part of whole.state === "hung" ? [] : parts) {
    const found = await tried(part);
    if (found.state !== "worked") return { what: shown, ...reported(part, found, host) };
  }
  return { what: shown, ...reported(step, whole, host) };
}

function reported(
  step: Step,
  found: Exclude<Attempt, { state: "worked" }>,
  host: Observed,
): Omit<Finding, "what"> {
  if (found.state === "refused") return { works: false, ...diagnose(step, found.said, host) };
  return {
    works: false,
    layer: "unknown",
    cause: `\`${commandOf(step)}\` did not end within ${found.seconds} seconds, and was killed`,
    fix: `Look at what it waits for: strace -f ${commandOf(step)}`,
  };
}
