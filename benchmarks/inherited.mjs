import { closeSync, readdirSync, readFileSync } from "node:fs";

const O_CLOEXEC = 0o2000000;

/**
 * Closes the fds that this process was started with: each would cost every run of ours a shell that closes it for the
 * program, where the bare tools hand it on.
 */
export function closeInherited() {
  for (const fd of readdirSync("/proc/self/fd").map(Number)) {
    if (fd > 2 && isInherited(fd)) closeSync(fd);
  }
}

function isInherited(fd) {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
    return (Number.parseInt(/^flags:\s+([0-7]+)$/m.exec(info)[1], 8) & O_CLOEXEC) === 0;
  } catch {
    return false; // The one that listed the directory.
  }
}
