import { execaSync } from "execa";

const QUIET = ["-qq", "-o", "DPkg::Lock::Timeout=60"];

/** Does something with the lists of packages; once more after an update, as there may be none, or old ones. */
export function withLists(run) {
  try {
    return run();
  } catch {
    aptGet(["update"]);
    return run();
  }
}

/** Runs apt-get, and throws where it fails. */
export function aptGet(args, options = {}) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const stdio = ["ignore", "ignore", "inherit"];
  execaSync("apt-get", [...QUIET, ...args], { stdio, env, ...options });
}
