import { realpathSync } from "node:fs";
import { SandboxError } from "../result/error.js";
import { describeIssue, fieldPath } from "./issue.js";
import { brokenRules } from "./rules.js";
import { configSchema } from "./schema.js";
import { type Config, type ConfigInput } from "./types.js";

/**
 * Checks a config, which may be hostile, and fills in the defaults.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the first field at fault; `PATH_INVALID` without `cwd` when the
 * caller's own no longer exists.
 */
export function parseConfig(input: unknown): Config {
  refuseProtoKeys(input, []);
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const { path, message } = describeIssue(first, input);
    throw new SandboxError("CONFIG_INVALID", message, {
      path,
      hint: "See docs/config.md for the fields.",
    });
  }
  const config = { ...parsed.data, cwd: parsed.data.cwd ?? defaultCwd(parsed.data.root) };
  for (const { path, message, hint } of brokenRules(config)) {
    throw new SandboxError("CONFIG_INVALID", `${path}: ${message}`, { path, hint });
  }
  return config;
}

/** Types a config as it is written, with no effect at run time. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** Refuses keys such as `__proto__`, which zod would drop in silence. */
function refuseProtoKeys(value: unknown, at: readonly PropertyKey[]): void {
  if (typeof value !== "object" || value === null || at.length > 8) return;
  for (const key of Object.keys(value)) {
    const path = fieldPath([...at, key]);
    if (key === "__proto__")
      throw new SandboxError("CONFIG_INVALID", `${path}: unknown key`, { path });
    refuseProtoKeys((value as Record<string, unknown>)[key], [...at, key]);
  }
}

function defaultCwd(root: string): string {
  if (root !== "/") return "/";
  try {
    return realpathSync(process.cwd());
  } catch (cause) {
    throw new SandboxError(
      "PATH_INVALID",
      "cwd: the caller's working directory does not exist any more",
      {
        path: "cwd",
        hint: "Set `cwd`.",
        cause,
      },
    );
  }
}
