import { isAbsolute } from "node:path";
import type { Capability } from "@sandboxlib/core";
import {
  type Host,
  type Missing,
  OWN_BASE,
  type Probe,
  type ResolvedConfig,
} from "@sandboxlib/core/backend";
// oxlint-disable-next-line no-restricted-imports -- The launcher, which is the init inside, is a package of its own.
import { findLauncher } from "@sandboxlib/launcher";
import { containerOf, FDS } from "./bundle.js";
import { reasonIn } from "./report.js";
import { type Runtime, runtimeWords } from "./runtime.js";

/** In this order: crun takes half the time of runc. */
const RUNTIMES = ["crun", "runc"] as const;

/** What keeps a runtime from making cgroups of its own: of crun, of runc, and of one that needs no such option. */
const OPTIONS = [["--cgroup-manager=disabled"], ["--rootless=true"], []] as const;
/** That of the runtimes that are one thread. */
const SINGLE = OPTIONS[0];

/** Runs a program as a plan would, with each runtime that there is, until one works. */
export async function probe(host: Host, named: string | undefined): Promise<Probe<Runtime>> {
  const launcher = findLauncher();
  if ("reason" in launcher) return { available: false, ...launcher };
  const names = named === undefined ? RUNTIMES : [named];
  const programs = names.flatMap((name) => (isAbsolute(name) ? name : (host.which(name) ?? [])));
  if (programs.length === 0) return notInstalled(names);
  const failures: string[] = [];
  for (const program of programs)
    for (const isRootless of host.uid === 0 ? [false, true] : [true])
      for (const options of OPTIONS) {
        const runtime = { program, options, isRootless };
        const failure = await attempt(runtime, host, EVERYTHING);
        const missing = failure === undefined ? [] : await lacks(runtime, host);
        if (missing !== undefined) return found(runtime, host, missing);
        failures.push(`${program}: ${failure}`);
      }
  const reason = failures.find((each) => !NO_OPTION.test(each)) ?? failures[0] ?? "";
  return { available: false, reason, remedy: REMEDY };
}

/** What runtimes say of an option of another's. */
const NO_OPTION = /flag provided but not defined|unrecognized option|unexpected argument/;

const REMEDY =
  "Without root, an OCI runtime needs user namespaces: run `sandboxlib doctor` to learn what forbids them here.";

function notInstalled(names: readonly string[]): Probe<Runtime> {
  const list = names.join(", ");
  return {
    available: false,
    reason: `no OCI runtime is installed in a directory of the system (${list})`,
    remedy: "Install the package crun (apt install crun, dnf install crun), or runc.",
  };
}

async function found(
  findings: Runtime,
  host: Host,
  missing: readonly Missing[],
): Promise<Probe<Runtime>> {
  const { stdout } = await host.run([findings.program, "--version"]);
  const version = stdout.split("\n", 1)[0]?.trim() ?? "";
  const more = findings.options === SINGLE ? [] : [THREADS];
  return { available: true, findings, version, missing: [...missing, ...more] };
}

const THREADS: Missing = {
  capability: "limit.processes",
  reason: "the runtime takes a dozen threads, which count as well",
  remedy: "Install crun, which takes one.",
};

const EVERYTHING: Pick<ResolvedConfig, "network" | "isolate"> = {
  network: "none",
  isolate: new Set(["mount", "pid", "ipc", "uts", "user", "cgroup"]),
};
const LITTLE: typeof EVERYTHING = { network: "host", isolate: new Set(["mount", "pid"]) };

/** What of everything cannot be had here; undefined where there is no sandbox at all. */
async function lacks(runtime: Runtime, host: Host): Promise<readonly Missing[] | undefined> {
  if ((await attempt(runtime, host, LITTLE)) !== undefined) return undefined;
  const parts: readonly (readonly [Capability, typeof EVERYTHING])[] = [
    ["network.none", { ...LITTLE, network: "none" }],
    ...(["ipc", "uts", "user", "cgroup"] as const).map(
      (name) =>
        [`isolate.${name}`, { ...LITTLE, isolate: new Set([...LITTLE.isolate, name]) }] as const,
    ),
  ];
  const tried = await Promise.all(
    parts.map(async ([capability, part]): Promise<Missing[]> => {
      const reason = await attempt(runtime, host, part);
      return reason === undefined ? [] : [{ capability, reason, remedy: REMEDY }];
    }),
  );
  return tried.flat();
}

/** Why a program cannot be run so; undefined where it can. */
async function attempt(
  runtime: Runtime,
  host: Host,
  part: typeof EVERYTHING,
): Promise<string | undefined> {
  const sh = host.which("sh");
  if (sh === undefined) return "there is no sh on this host to try it";
  const config: ResolvedConfig = {
    root: "/",
    rootReadOnly: true,
    mounts: [
      { type: "proc", target: "/proc", path: "mounts", create: false },
      { type: "dev", target: "/dev", path: "mounts", create: false },
    ],
    mirrors: [],
    cwd: "/",
    env: {},
    limits: {},
    ...part,
    ...(part.isolate.has("uts") && { hostname: "sandbox" }),
  };
  const data = JSON.stringify(containerOf(config, host, runtime));
  const { program, options } = runtime;
  // The program is the shell, in the namespaces of the runtime's client, and starts that in the end.
  const words = runtimeWords({ ...runtime, program: sh, options: [] }, config, [
    "-c",
    TRY,
    "sh",
    program,
    ...options,
  ]);
  const { stdout, stderr } = await host.run([...words, sh, "-c", ":"], {
    fds: { 0: { data }, 6: "filter" },
  });
  const said = stdout + stderr;
  return /^ended 0 /m.test(said) ? undefined : (reasonIn(said) ?? "it fails without a reason");
}

/** What it makes lies in a tmpfs that nobody else sees. */
const TRY = `
mount -t tmpfs -o mode=700 tmpfs /var/tmp && mkdir ${OWN_BASE} && cd ${OWN_BASE} || exit
mkdir state open sealed container container/root container/proc container/dev
: >container/init
cat <&8 >config.json
mkfifo lifeline
exec "$@" --root ${OWN_BASE}/state run --preserve-fds ${FDS} --bundle ${OWN_BASE} probe 3>&1 4<>lifeline 5</dev/null
`;
