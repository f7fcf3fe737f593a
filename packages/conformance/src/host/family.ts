import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A process of the host, told from a later one with the same pid by its start time. */
export interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly started: string;
}

/** Everything that a process has started, whichever namespace it is in. */
export function descendants(pid: number | undefined): Member[] {
  const all = members();
  const below = (parent: number | undefined): Member[] =>
    all
      .filter((member) => member.parent === parent)
      .flatMap((member) => [member, ...below(member.pid)]);
  return below(pid);
}

/** The parents of a process, up to this one. */
export function between(pid: number): Member[] {
  const all = members();
  const up = (at: number | undefined): Member[] => {
    const member = all.find((each) => each.pid === at);
    return member === undefined || at === process.pid ? [] : [member, ...up(member.parent)];
  };
  return up(pid).slice(1);
}

/** Waits for processes to end, and returns those that are still there. */
export async function outliving(family: readonly Member[]): Promise<Member[]> {
  const deadline = performance.now() + TIME_LIMIT;
  for (;;) {
    const now = new Set(members().map(key));
    const left = family.filter((member) => now.has(key(member)));
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Why this process cannot see all of a family: hidepid of proc(5), mostly. */
export function hiddenFamilies(): string | undefined {
  return existsSync("/proc/1/stat") ? undefined : "this host hides processes of others";
}

const TIME_LIMIT = 10_000;

function key({ pid, started }: Member): string {
  return `${pid} ${started}`;
}

/** Every process, but for zombies, by stat of proc(5). */
function members(): Member[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (fields[0] === "Z") return [];
        return [{ pid: Number(name), parent: Number(fields[1]), started: fields[19] ?? "" }];
      } catch {
        return []; // It ended between the two looks.
      }
    });
}
