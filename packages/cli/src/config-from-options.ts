import { type Config, type ConfigInput, NAMESPACES, parseConfig } from "@sandboxlib/core";
import { CliError } from "./cli-error.js";
import { type CommandLine, valueOf } from "./command-line.js";
import { readConfigFile } from "./config-file.js";
import { hostPath } from "./host-path.js";
import { limitsOf } from "./limits.js";
import { bindMount, tmpfsMount, withMounts } from "./mount-options.js";
import { number, seconds } from "./number.js";
import type { OptionName } from "./option-name.js";
import { type Origins, originsOf } from "./origins.js";

/** A config and where each of its fields was written. */
export interface WrittenConfig {
  readonly config: ConfigInput;
  readonly origins: Origins;
}

/**
 * Makes a config of a command line: single values take the place of those of the config file, lists are added to its.
 *
 * @param withImage - Adds what an image asks for to the file's.
 * @throws CliError for an option that cannot be read; SandboxError `CONFIG_INVALID` for the file.
 */
export function configFromOptions(
  line: CommandLine,
  withImage: (own: ConfigInput) => ConfigInput = (own) => own,
): WrittenConfig {
  const own = fileOf(line);
  const file = withImage(own);
  const { mounts, origins } = mountsOf(line, file);
  const env = listOf(line, "env").map(variable);
  const fields: ConfigInput = {
    ...(line.program.length > 0 && { command: line.program }),
    ...single(line, file),
    ...lists(line, file),
    ...(mounts !== undefined && { mounts }),
    ...(env.length > 0 && { env: { ...(file.env ?? defaults().env), ...Object.fromEntries(env) } }),
  };
  return { config: { ...file, ...fields }, origins: originsOf(line, own, origins) };
}

/** The user that a command line names in full, so that none has to be looked up. */
export function chosenUser(line: CommandLine): ConfigInput["user"] {
  const { uid, gid } = idsOf(line, fileOf(line));
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function fileOf(line: CommandLine): ConfigInput {
  const path = valueOf(line, "config");
  return path === undefined ? {} : readConfigFile(path);
}

function single(line: CommandLine, file: ConfigInput): ConfigInput {
  const root = line.root ?? valueOf(line, "root");
  const cwd = valueOf(line, "cwd");
  const hostname = valueOf(line, "hostname");
  const network = valueOf(line, "network");
  const isolate = valueOf(line, "isolate");
  return {
    ...(root !== undefined && { root: hostPath(root) }),
    ...(cwd !== undefined && { cwd }),
    ...(hostname !== undefined && { hostname }),
    // Core names the words that are allowed.
    ...(network !== undefined && { network: network as Config["network"] }),
    ...(isolate !== undefined && { isolate: namespaces(isolate) }),
    ...user(line, file),
    ...limitsOf(line, file),
    ...stop(line, file),
  };
}

function lists(line: CommandLine, file: ConfigInput): ConfigInput {
  const writable = listOf(line, "writable");
  const hidden = listOf(line, "hide");
  const terminal = line.options.has("tty") ? ["TERM"] : [];
  const inheritEnv = [...listOf(line, "inherit-env"), ...terminal];
  return {
    ...(writable.length > 0 && { writable: writables(file.writable ?? [], writable) }),
    ...(hidden.length > 0 && { hidden: [...(file.hidden ?? []), ...hidden] }),
    ...(inheritEnv.length > 0 && { inheritEnv: [...(file.inheritEnv ?? []), ...inheritEnv] }),
  };
}

function writables(listed: Config["writable"], added: readonly string[]): Config["writable"] {
  return listed === "all" || added.includes("all") ? "all" : [...listed, ...added];
}

/** The order of the four options among each other does not matter: core sorts by depth. */
function mountsOf(
  line: CommandLine,
  file: ConfigInput,
): { mounts: ConfigInput["mounts"]; origins: ReadonlyMap<number, string> } {
  const added = [
    ...listOf(line, "bind").map((text) => [`--bind ${text}`, bindMount(text)] as const),
    ...listOf(line, "tmpfs").map((text) => [`--tmpfs ${text}`, tmpfsMount(text)] as const),
    ...listOf(line, "proc").map(
      (target) => [`--proc ${target}`, { type: "proc" as const, target }] as const,
    ),
    ...listOf(line, "dev").map(
      (target) => [`--dev ${target}`, { type: "dev" as const, target }] as const,
    ),
  ];
  const noDefaults = line.options.has("no-default-mounts");
  if (added.length === 0 && !noDefaults) return { mounts: file.mounts, origins: new Map() };
  const listed = file.mounts ?? (noDefaults ? [] : defaults().mounts);
  const { mounts, places } = withMounts(
    listed,
    added.map(([, mount]) => mount),
  );
  return { mounts, origins: new Map(added.map(([text], index) => [places[index] ?? -1, text])) };
}

function variable(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError(`--env: ${JSON.stringify(text)} is not K=V`, {
    hint: `To hand on the caller's value, write --inherit-env ${at === 0 ? "NAME" : text}.`,
  });
}

function namespaces(list: string): Config["isolate"] {
  if (list === "all") return NAMESPACES;
  return list === "none" ? [] : (list.split(",") as Config["isolate"][number][]);
}

function user(line: CommandLine, file: ConfigInput): Pick<ConfigInput, "user"> {
  const { uid, gid } = idsOf(line, file);
  if (uid === undefined && gid === undefined) return {};
  return {
    user: {
      ...file.user,
      uid: uid ?? process.getuid?.() ?? 0,
      gid: gid ?? process.getgid?.() ?? 0,
    },
  };
}

function idsOf(
  line: CommandLine,
  file: ConfigInput,
): { readonly uid: number | undefined; readonly gid: number | undefined } {
  const id = (name: "uid" | "gid"): number | undefined => {
    const text = valueOf(line, name);
    return text === undefined ? file.user?.[name] : number(`--${name}`, text, /^\d+$/);
  };
  return { uid: id("uid"), gid: id("gid") };
}

/** Core says what is missing, and names the signals that there are. */
function stop(line: CommandLine, file: ConfigInput): Pick<ConfigInput, "stop"> {
  const [signal, grace] = [valueOf(line, "stop-signal"), valueOf(line, "stop-grace")];
  if (signal === undefined && grace === undefined) return {};
  const stop = {
    ...file.stop,
    ...(signal !== undefined && { signal: `SIG${signal.replace(/^SIG/, "")}` }),
    ...(grace !== undefined && { grace: seconds("--stop-grace", grace) }),
  };
  return { stop: stop as NonNullable<ConfigInput["stop"]> };
}

function listOf({ options }: CommandLine, name: OptionName): readonly string[] {
  return options.get(name) ?? [];
}

/** What core fills in for an empty config. */
function defaults(): Config {
  return parseConfig({});
}
