import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { loaderOf } from "./elf.js";

/** What goes into a root: host files by their path inside, and which programs it will have in `/bin`. */
export interface Recipe {
  readonly files: ReadonlyMap<string, string>;
  readonly tools: ReadonlySet<string>;
  /** Whether the programs run without a dynamic loader. */
  readonly isStatic: boolean;
}

const ALWAYS = [
  "cat",
  "env",
  "head",
  "id",
  "ls",
  "mkdir",
  "readlink",
  "rm",
  "sh",
  "sleep",
  "uname",
] as const;
const PERHAPS = ["chmod", "chown", "mv", "nc", "setsid", "stat", "stty", "touch"] as const;

/** A program that a case runs inside. */
export type Tool = (typeof ALWAYS)[number] | (typeof PERHAPS)[number];

const DIRECTORIES = ["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin"];

/** Finds what any Linux host has: a static busybox, or else its own programs with their libraries. Throws why not. */
export function findRecipe(): Recipe {
  const recipe = fromBusybox() ?? fromHost();
  const missing = ALWAYS.filter((tool) => !recipe.tools.has(tool));
  if (missing.length === 0) return recipe;
  throw new Error(`this host has no ${missing.join(", ")} to put into a root`);
}

/** The program by its name, as a root of this recipe has it. */
export function toolPath(tool: Tool): string {
  return `/bin/${tool}`;
}

/** The applets of a static busybox; undefined where there is none. */
export function fromBusybox(): Recipe | undefined {
  const busybox = onHost("busybox");
  if (busybox === undefined || loaderOf(busybox) !== undefined) return undefined;
  const { stdout } = execaSync(busybox, ["--list"], { extendEnv: false });
  const applets = new Set(stdout.split("\n"));
  const tools = [...ALWAYS, ...PERHAPS].filter((tool) => applets.has(tool));
  const files = new Map(tools.map((tool) => [toolPath(tool), busybox]));
  return { files, tools: new Set(tools), isStatic: true };
}

/** The programs of the host, with the libraries that they load. */
export function fromHost(): Recipe {
  const files = new Map<string, string>();
  const tools = new Set<string>();
  for (const tool of [...ALWAYS, ...PERHAPS]) {
    const file = onHost(tool);
    if (file === undefined) continue;
    files.set(toolPath(tool), file);
    tools.add(tool);
    for (const library of librariesOf(file)) files.set(library, realpathSync(library));
  }
  return { files, tools, isStatic: false };
}

/** The loader itself says what it would load: glibc's and musl's alike. */
function librariesOf(file: string): string[] {
  const loader = loaderOf(file);
  if (loader === undefined) return [];
  const { stdout } = execaSync(loader, ["--list", file], { extendEnv: false, reject: false });
  return [
    loader,
    ...[...stdout.matchAll(/(?:^|=>)\s+(\/\S+) \(0x/gm)].map(([, path]) => path ?? ""),
  ];
}

function onHost(program: string): string | undefined {
  const found = DIRECTORIES.map((directory) => join(directory, program)).find((path) =>
    existsSync(path),
  );
  return found === undefined ? undefined : realpathSync(found);
}
