import { parseConfig } from "../config/parse.js";
import type { Config } from "../config/schema.js";
import type { ResolvedConfig } from "../plan/resolved-config.js";

/** What a command of a session may have of its own. */
export interface CommandSettings {
  /** Its exact environment, beside `PWD`. Default: the config's. */
  readonly env?: Config["env"] | undefined;
  /** An absolute path inside. Default: the config's. */
  readonly cwd?: string | undefined;
  /** Default: the config's. */
  readonly limits?: Config["limits"] | undefined;
}

/**
 * Checks the settings of a command by the rules of the config, and fills in what they leave open.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function settingsOf(
  config: ResolvedConfig,
  { env, cwd, limits }: CommandSettings,
): Pick<ResolvedConfig, "env" | "cwd"> & { readonly wallTime: number | undefined } {
  if (env === undefined && cwd === undefined && limits === undefined)
    return { env: config.env, cwd: config.cwd, wallTime: config.limits.wallTime };
  const parsed = parseConfig({ root: config.root, cwd: cwd ?? config.cwd, env, limits });
  return {
    env: { ...(env === undefined ? config.env : parsed.env), PWD: parsed.cwd },
    cwd: parsed.cwd,
    wallTime: limits === undefined ? config.limits.wallTime : parsed.limits.wallTime,
  };
}
