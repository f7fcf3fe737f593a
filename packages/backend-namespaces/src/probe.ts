import type { Capability } from "@sandboxlib/core";
import type { Host, Missing, Probe } from "@sandboxlib/core/backend";
import { type Cause, causeOf, type Failure } from "./causes.js";
import { installedLauncher } from "./launcher.js";
import { mechanisms } from "./mechanisms.js";

/** What a run does not find out for itself: whether there is a launcher, and the tools that it would call. */
export function presume(
  host: Host,
  launcher: ReturnType<typeof installedLauncher> = installedLauncher(),
): Probe {
  if ("reason" in launcher) return { available: false, ...launcher };
  return { available: true, missing: missingTools(host) };
}

/** Lets the launcher try everything that a plan uses. The errors of the kernel tell what this host forbids. */
export async function probe(
  host: Host,
  launcher: ReturnType<typeof installedLauncher> = installedLauncher(),
): Promise<Probe> {
  if ("reason" in launcher) return { available: false, ...launcher };
  const { exitCode, stdout } = await host.run([launcher.path, "probe"]);
  const failures = stdout.split("\n").flatMap(parse);
  const base = failures.find(({ lost }) => lost === undefined);
  if (base !== undefined)
    return { available: false, ...(await causeOf(base, host, launcher.path)) };
  if (exitCode !== 0) return { available: false, ...NO_ANSWER };
  const missing = await Promise.all(
    failures.map(async (failure) =>
      missingOf(failure, await causeOf(failure, host, launcher.path)),
    ),
  );
  return {
    available: true,
    version: `sandboxlib-launcher ${launcher.version}`,
    missing: [...missing.flat(), ...missingTools(host)],
  };
}

/** Parses a line of the launcher about a failure: the capability or `base`, the call and its errno, separated by tabs. */
function parse(line: string): Failure[] {
  const [word = "", call, errno] = line.split("\t");
  if (call === undefined || errno === undefined) return [];
  return [{ lost: isOurs(word) ? word : undefined, call, errno: Number(errno) }];
}

function isOurs(word: string): word is Capability {
  return Object.hasOwn(mechanisms, word);
}

function missingOf({ lost }: Failure, cause: Cause): Missing[] {
  return lost === undefined ? [] : [{ capability: lost, ...cause }];
}

/** Whether the setuid tools are missing with which a user who is not root can use their subordinate ids. */
function missingTools(host: Host): Missing[] {
  const tools = ["newuidmap", "newgidmap"];
  if (host.uid === 0 || tools.every((name) => host.which(name) !== undefined)) return [];
  return [
    {
      capability: "user.range",
      reason: `${tools.join(" and ")} are not installed`,
      remedy: "Install the package uidmap (apt) or shadow-utils (dnf).",
    },
  ];
}

const NO_ANSWER: Cause = {
  reason: "the launcher does not run, or dies",
  remedy:
    "Look whether its file system is mounted noexec, and whether it is built for this machine; install @sandboxlib/launcher again.",
};
