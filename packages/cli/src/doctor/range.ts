import type { Observed } from "./observe.js";
import { type Diagnosis, type Finder, fixIn, statusOf } from "./seen.js";

const FILES = { subuids: "/etc/subuid", subgids: "/etc/subgid" } as const;

/** What newuidmap(1) and newgidmap(1) lack. */
export const noRange: Finder = ({ host }) => {
  const absent = ["newuidmap", "newgidmap"].filter((tool) => !host.has(tool));
  if (absent.length > 0) return because(`not installed: ${absent.join(", ")}`, INSTALL);
  if (host.user === undefined) {
    const cause = `the uid ${host.uid} has no entry in /etc/passwd, and newuidmap(1) wants one`;
    return because(cause, `sudo useradd --uid ${host.uid} NAME`);
  }
  const without = Object.entries(FILES).filter(([, file]) => !isGranted(host, file));
  if (without.length > 0) {
    const files = without.map(([, file]) => file).join(" and ");
    const start = freeStart(host);
    const options = without.map(([name]) => `--add-${name} ${start}-${start + 65_535}`);
    const fix = `sudo usermod ${options.join(" ")} ${host.user}`;
    return because(`no line of ${files} is for ${host.user} or ${host.uid}`, fix);
  }
  if (statusOf(host, "NoNewPrivs") !== "1") return undefined;
  return {
    layer: "no-new-privileges",
    cause:
      "no_new_privs is set on this process (NoNewPrivs: 1 in /proc/self/status), so that newuidmap(1), which is setuid, has no power",
    fix: fixIn(host, "no-new-privileges"),
  };
};

const INSTALL =
  "sudo apt install uidmap (Debian, Ubuntu), or sudo dnf install shadow-utils (Fedora)";

function because(cause: string, fix: string): Diagnosis {
  return { layer: "subuid", cause, fix };
}

function isGranted(host: Observed, file: string): boolean {
  const owners = [host.user, String(host.uid)];
  return linesOf(host, file).some(([owner]) => owners.includes(owner));
}

/** Above every range that somebody has. */
function freeStart(host: Observed): number {
  const ends = Object.values(FILES)
    .flatMap((file) => linesOf(host, file))
    .map(([, start, count]) => Number(start) + Number(count));
  return Math.max(100_000, ...ends.filter(Number.isSafeInteger));
}

/** Lines of `USER:START:COUNT`, see subuid(5). */
function linesOf({ read }: Observed, file: string): string[][] {
  return (read(file) ?? "").split("\n").map((line) => line.split(":"));
}
