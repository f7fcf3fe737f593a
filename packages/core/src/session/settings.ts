import type { ResolvedConfig } from "../backend/resolved-config.js";
import { CGROUP_LIMITS } from "../cgroup/setting.js";
import { parseConfig } from "../config/parse.js";
import type { Config, ConfigInput } from "../config/schema.js";
import { SandboxError } from "../result/error.js";
import type { DeadlineTerms } from "../run/deadline.js";

/** What a command of a session may have of its own. */
export interface CommandSettings {
  /** Its exact environment, beside `PWD`. Default: the config's. */
  readonly env?: Config["env"] | undefined;
  /** An absolute path inside. Default: the config's. */
  readonly cwd?: string | undefined;
  /** Those of the command alone, not those of the whole sandbox. Default: the config's. */
  readonly limits?: Config["limits"] | undefined;
  /** Default: the config's. */
  readonly stop?: ConfigInput["stop"];
}

/**
 * Checks the settings of a command by the rules of the config, and fills in what they leave open.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function settingsOf(
  config: ResolvedConfig,
  { env, cwd, limits, stop }: CommandSettings,
): Pick<ResolvedConfig, "env" | "cwd" | "limits"> & DeadlineTerms {
  if ([env, cwd, limits, stop].every((setting) => setting === undefined)) {
    const { wallTime } = config.limits;
    const { env: own, cwd: at } = config;
    return { env: own, cwd: at, limits: config.limits, wallTime, stop: config.stop };
  }
  refuseShared(limits);
  const parsed = parseConfig({ root: config.root, cwd: cwd ?? config.cwd, env, limits, stop });
  const ownLimits = limits === undefined ? config.limits : parsed.limits;
  return {
    env: { ...(env === undefined ? config.env : parsed.env), PWD: parsed.cwd },
    cwd: parsed.cwd,
    limits: ownLimits,
    wallTime: ownLimits.wallTime,
    stop: parsed.stop ?? config.stop,
  };
}

/** The commands of a session are in one cgroup. */
function refuseShared(limits: CommandSettings["limits"]): void {
  const shared = CGROUP_LIMITS.find((name) => limits?.[name] !== undefined);
  if (shared === undefined) return;
  const path = `limits.${shared}`;
  throw new SandboxError("CONFIG_INVALID", `${path}: the commands of a session share it`, {
    path,
    hint: "Set it in the config of the session, or run the command in a sandbox of its own.",
  });
}
