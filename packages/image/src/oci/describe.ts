import type { ConfigInput } from "@sandboxlib/core";
import { invalidImage, type RunStep, shown } from "../errors.js";
import type { Format } from "../formats/format.js";
import type { ImageOptions } from "../image.js";
import { homeOf, lookUp, userOf } from "../root/users.js";
import type { ImageConfig } from "./json.js";
import { contradicts, platformOf, platformText } from "./platform.js";

/** Turns the configuration of an OCI image into fields of a config. */
export const describeOci: Format["describe"] = ({ manifest, notes }, root, options, runStep) => {
  const image = manifest as ImageConfig;
  const { User = "", Entrypoint, Cmd, WorkingDir = "", Env } = image.config ?? {};
  const user = options.user ?? runStep(() => userOf(root, User === "" ? "0:0" : User), undefined);
  const home = user && homeOf(root, user.uid);
  const { env, notes: envNotes } = variables(Env ?? []);
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  const config: ConfigInput = {
    ...(user !== undefined && { user }),
    env: { PATH: STANDARD_PATH, HOME: home ?? "/", ...env },
    cwd: WorkingDir === "" ? "/" : WorkingDir,
    ...(command.length > 0 && { command }),
  };
  const groups = options.user === undefined ? otherGroups(root, User) : [];
  return {
    config,
    notes: [
      ...notes,
      ...platformNotes(image, options, runStep),
      ...envNotes,
      ...(groups.length > 0
        ? [`the program gets no group but its own, so it lacks ${groups.map(shown).join(", ")}`]
        : []),
      ...volumeAndPortNotes(image),
    ],
  };
};

/** The PATH of a program unless the image sets it. */
const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** When a variable is set twice, the last value counts. What no variable can be is left out, with a note. */
function variables(lines: readonly string[]): {
  readonly env: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
} {
  const env = new Map<string, string>();
  const notes: string[] = [];
  for (const line of lines) {
    const at = line.indexOf("=");
    // Only the name is shown: the value may be a secret.
    const name = at === -1 ? line : line.slice(0, at);
    const leaveOut = (why: string): number =>
      notes.push(`left out the variable ${shown(name)} of the image: ${why}`);
    if (at === -1) leaveOut("it has no `=` and so no value");
    else if (at === 0) leaveOut("it has no name");
    else if (line.includes("\0")) leaveOut("it holds a NUL byte");
    else if (name === "PWD") leaveOut("it always is the working directory");
    else env.set(name, line.slice(at + 1));
  }
  return { env: Object.fromEntries(env), notes };
}

/**
 * The names of the groups that have the image's user as a member. As in other tools, there are none when the image
 * names a group.
 */
function otherGroups(root: string, user: string): string[] {
  if (user === "" || user.includes(":") || /^\d+$/.test(user)) return [];
  return (lookUp(root, "/etc/group") ?? "")
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([, , , members = ""]) => members.split(",").includes(user))
    .map(([name = ""]) => name);
}

/** Checks the platform in the configuration of the image, since the index need not name one. */
function platformNotes(image: ImageConfig, { platform }: ImageOptions, runStep: RunStep): string[] {
  const wanted = platformOf(platform);
  if (!contradicts(image, wanted)) return [];
  const [found, expected] = [image, wanted].map((each) => shown(platformText({ platform: each })));
  if (platform === undefined) return [`the image is for ${found}, and this is ${expected}`];
  return runStep(() => {
    throw invalidImage(`the image is for ${found}, and not for ${expected}`);
  }, []);
}

function volumeAndPortNotes({ config }: ImageConfig): string[] {
  const { Volumes, ExposedPorts } = config ?? {};
  return [
    ...Object.keys(Volumes ?? {}).map(
      (path) =>
        `the volume ${shown(path)} is a directory of the run's own: bind another one to keep it`,
    ),
    ...Object.keys(ExposedPorts ?? {}).map(
      (port) => `the port ${shown(port)} is not made known outside`,
    ),
  ];
}
