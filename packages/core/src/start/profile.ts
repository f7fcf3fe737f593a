import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { Config } from "../config/types.js";
import { SandboxError } from "../result/error.js";

/**
 * What a backend is to enforce for the profile of a config. The compiler is loaded for a profile of the user's own only.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export async function withProfile(
  resolved: ResolvedConfig,
  { seccomp }: Config,
): Promise<ResolvedConfig> {
  if (seccomp === undefined || seccomp === "none") return resolved;
  if (seccomp === "default" || seccomp === "build") {
    const isNesting = resolved.allow?.includes("user-namespaces") === true;
    return { ...resolved, seccomp: isNesting ? `${seccomp}+user-namespaces` : seccomp };
  }
  if (seccomp === "strict") return { ...resolved, seccomp };
  const { compileSeccomp, SeccompError } = await import("@sandboxlib/seccomp");
  try {
    return { ...resolved, seccomp: compileSeccomp(seccomp.profile).filter };
  } catch (cause) {
    if (!(cause instanceof SeccompError)) throw cause;
    const { problem, hint } = cause;
    const path = cause.path === "" ? "seccomp.profile" : `seccomp.profile.${cause.path}`;
    throw new SandboxError("CONFIG_INVALID", `${path}: ${problem}`, {
      path,
      cause,
      ...(hint !== undefined && { hint }),
    });
  }
}
