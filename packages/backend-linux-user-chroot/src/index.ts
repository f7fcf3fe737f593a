import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { mechanismsBy, partly } from "./mechanisms.js";
import { plan } from "./plan.js";
import { probe } from "./probe.js";
import { findProgram, type Program } from "./program.js";

/** The backend over the program at a given path, such as a build of one's own, in place of the installed one. */
export function linuxUserChrootAt(program: string): Backend {
  return linuxUserChrootOf(() => program);
}

/** linux-user-chroot(8): Linux, with or without root. The program is looked up when it is needed. */
const linuxUserChroot: Backend = linuxUserChrootOf(
  () => process.env["SANDBOXLIB_LINUX_USER_CHROOT"] || undefined,
);

export default linuxUserChroot;

function linuxUserChrootOf(named: () => string | undefined): Backend {
  return defineBackend<Program>({
    name: "linux-user-chroot",
    mechanisms: mechanismsBy("guest"),
    partly,
    probe: (host) => probe(host, named()),
    plan: (config, host, { findings = findProgram(host, named()) }) => plan(config, findings),
  });
}
