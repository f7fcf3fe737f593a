import type { ConfigInput } from "@sandboxlib/core";
import type { Describe } from "../formats/format.js";
import { shown } from "../invalid.js";
import { homeOf, userOf } from "../root/users.js";
import type { ImageConfig } from "./types.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the configuration of an OCI image asks for. */
export const describeOci: Describe = ({ manifest, notes }, root) => {
  const { config } = manifest as ImageConfig;
  const { User = "", Entrypoint, Cmd, WorkingDir = "", Env, Volumes, ExposedPorts } = config ?? {};
  const user = userOf(root, User === "" ? "0:0" : User);
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  const fragment: ConfigInput = {
    user,
    env: { PATH, HOME: homeOf(root, user.uid) ?? "/", ...variables(Env ?? []) },
    cwd: WorkingDir.startsWith("/") ? WorkingDir : `/${WorkingDir}`,
    ...(command.length > 0 && { command }),
  };
  const told = [
    ...Object.keys(Volumes ?? {}).map(
      (path) =>
        `the volume ${shown(path)} is a directory of the run's own: bind another one to keep it`,
    ),
    ...Object.keys(ExposedPorts ?? {}).map(
      (port) => `the port ${shown(port)} is not made known outside`,
    ),
  ];
  return { config: fragment, notes: [...notes, ...told] };
};

/** Of a variable that is set twice the last one counts; what is no variable sets nothing. */
function variables(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines
      .map((line): [string, string] => [
        line.split("=", 1)[0] ?? "",
        line.slice(line.indexOf("=") + 1),
      ])
      .filter(([name, value]) => name !== "" && !/[\0]/.test(name + value)),
  );
}
