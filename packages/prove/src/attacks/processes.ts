import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { type Attack, refused, type Seen, succeeded, untried } from "../attack.js";
import type { Field } from "../field.js";
import { judge, seenIn } from "../judge.js";
import { few } from "../lines.js";
import type { Helper } from "../outside.js";

/** Reaching processes of the host, and outliving the run. */
export const processes: readonly Attack[] = [
  {
    title: "a process of the host is signalled",
    about: ["isolate.pid"],
    remedy: "",
    run: (field) =>
      withVictim(field, async (victim) => {
        const [pid, control, signal] = [
          victim.pid,
          constants.signals.SIGUSR2,
          constants.signals.SIGUSR1,
        ];
        const tryOutside = async (count: number): Promise<boolean> => {
          await field.outside(["signal", String(pid), String(control)]);
          return victim.hasSaid("signal", control, count);
        };
        if (!(await tryOutside(1))) return untried("the same signal does not arrive from outside");
        const count = victim.count("signal", control);
        const ran = await field.inside(["signal", String(pid), String(signal)]);
        // The kernel hands out signals by their number: what was sent from inside arrives before this one.
        await tryOutside(count + 1);
        if (victim.count("signal", signal) > 0) return succeeded("the process got the signal");
        const seen = seenIn(ran);
        return seen.outcome === "succeeded" ? refused("another process got the signal") : seen;
      }),
  },
  {
    title: "a process of the host is traced, or its memory or environment read",
    about: ["isolate.pid"],
    remedy: "",
    run: (field) =>
      withVictim(field, async (victim, secret) =>
        field.both(["trace", String(victim.pid), field.token, secret]),
      ),
  },
  {
    title: "a process of the host is seen in a procfs",
    about: ["mount.proc", "isolate.pid"],
    remedy: "",
    run: (field) =>
      withVictim(field, async ({ pid }) => {
        const proc = field.config.mounts.find(({ type }) => type === "proc")?.target ?? "/proc";
        const words = ["reach", field.token];
        return field.both([...words, `${proc}/${pid}/cmdline`], [...words, `/proc/${pid}/cmdline`]);
      }),
  },
  {
    title: "pid 1 of the sandbox is traced, or its memory or fds opened",
    about: ["isolate.pid", "isolate.user"],
    remedy: "It is the backend's own process: with it a program can forge how it ended.",
    run: (field) =>
      withVictim(field, async (victim, secret) => {
        if (!field.met.has("isolate.pid")) return untried("pid 1 is the host's");
        const outside = await field.outside(["trace", String(victim.pid), field.token, secret]);
        return judge(outside, () => field.inside(["init"]));
      }),
  },
  {
    title: "a process outlives the run",
    about: ["tree.kill"],
    remedy: "",
    async run({ token, met, outside, inside, directory, program }) {
      if (!met.has("tree.kill") && !met.has("isolate.mount"))
        return untried("it would hold on to what the backend has mounted on the host");
      const [first, second] = [`outside-${token}`, `inside-${token}`];
      try {
        await outside(["survive", `${directory}/sandboxlib-attacks`, first]);
        if (pidsWith(first).length === 0) return untried("outside no process stays either");
        const ran = await inside(["survive", program, second]);
        if (seenIn(ran).outcome === "untried" && ran.lines.length === 0) return seenIn(ran);
        const left = await lasting(second);
        return left.length > 0 ? succeeded(`${left.length} processes`) : refused("none was left");
      } finally {
        for (const pid of [...pidsWith(first), ...pidsWith(second)]) end(pid);
      }
    },
  },
];

async function withVictim(
  { helper, token }: Field,
  run: (victim: Helper, secret: string) => Promise<Seen>,
): Promise<Seen> {
  await using victim = helper(["victim", token]);
  const secret = await victim.said("secret");
  if (secret === undefined) return untried("no process could be started outside");
  return await run(victim, secret); // it has to live until then
}

/** The kernel may take a moment to end the last of them. */
async function lasting(marker: string): Promise<number[]> {
  const deadline = performance.now() + 2000;
  for (;;) {
    const found = pidsWith(marker);
    if (found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pidsWith(marker: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const isOne =
        /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(marker);
      return isOne ? [Number(name)] : [];
    } catch {
      return []; // It ended between the two looks.
    }
  });
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** What the program is started with. */
export const inherited: readonly Attack[] = [
  {
    title: "the program has an fd beside its standard streams",
    about: "always",
    remedy: "",
    async run({ inside }) {
      return seenIn(await inside(["fds"]));
    },
  },
  {
    title: "the program has a variable that the config does not name",
    about: "always",
    remedy: "",
    async run({ config, inside }) {
      const { lines } = await inside(["environment"]);
      const names = lines.flatMap(({ word, text }) => (word === "variable" ? text : []));
      const known = new Set([...Object.keys(config.env), ...config.inheritEnv, "PWD"]);
      const others = names.filter((name) => !known.has(name));
      if (others.length > 0) return succeeded(few(others));
      return names.length > 0 ? refused(`it has ${few(names)} only`) : untried("it said nothing");
    },
  },
];
