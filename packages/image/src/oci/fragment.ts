import type { ConfigInput } from "@sandboxlib/core";
import type { Attempt } from "../attempt.js";
import type { Format } from "../formats/format.js";
import type { ImageOptions } from "../image.js";
import { invalidImage, shown } from "../invalid.js";
import { lookUp } from "../root/look-up.js";
import { homeOf, userOf } from "../root/users.js";
import { contradicts, platformOf, platformText } from "./platform.js";
import type { ImageConfig } from "./types.js";

/** Turns the configuration of an OCI image into a part of a config. */
export const describeOci: Format["describe"] = ({ manifest, notes }, root, options, attempt) => {
  const image = manifest as ImageConfig;
  const { User = "", Entrypoint, Cmd, WorkingDir = "", Env } = image.config ?? {};
  const user = options.user ?? attempt(() => userOf(root, User === "" ? "0:0" : User), undefined);
  const home = user && homeOf(root, user.uid);
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  const config: ConfigInput = {
    ...(user !== undefined && { user }),
    env: { PATH: STANDARD_PATH, HOME: home ?? "/", ...variables(Env ?? []) },
    cwd: WorkingDir === "" ? "/" : WorkingDir,
    ...(command.length > 0 && { command }),
  };
  const groups = options.user === undefined ? otherGroups(root, User) : [];
  return {
    config,
    notes: [
      ...notes,
      ...platformNotes(image, options, attempt),
      ...(groups.length > 0
        ? [`the program gets no group but its own, so it lacks ${groups.map(shown).join(", ")}`]
        : []),
      ...outsideNotes(image),
    ],
  };
};

/** Where programs are looked up unless the image says otherwise. */
const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where a variable is set twice, the last value counts. What is no variable sets nothing. */
function variables(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines
      .filter((line) => line.indexOf("=") > 0 && !line.includes("\0"))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** The groups that have the image's user as a member, by name. As in other tools only a user without a group has any. */
function otherGroups(root: string, user: string): string[] {
  if (user === "" || user.includes(":") || /^\d+$/.test(user)) return [];
  return (lookUp(root, "/etc/group") ?? "")
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([, , , members = ""]) => members.split(",").includes(user))
    .map(([name = ""]) => name);
}

/** The index may not say which platform an image is for; the image's own configuration does. */
function platformNotes(image: ImageConfig, { platform }: ImageOptions, attempt: Attempt): string[] {
  const wanted = platformOf(platform);
  if (!contradicts(image, wanted)) return [];
  const [is, want] = [image, wanted].map((each) => shown(platformText({ platform: each })));
  if (platform === undefined) return [`the image is for ${is}, and this is ${want}`];
  return attempt(() => {
    throw invalidImage(`the image is for ${is}, and not for ${want}`);
  }, []);
}

function outsideNotes({ config }: ImageConfig): string[] {
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
