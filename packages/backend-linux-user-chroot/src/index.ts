import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { mechanismsBy } from "./mechanisms.js";
import { plan } from "./plan.js";
import { probe } from "./probe.js";

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
  return defineBackend({
    name: "linux-user-chroot",
    mechanisms: mechanismsBy("guest"),
    probe: (host) => probe(host, named()),
    plan: (config, host) => plan(config, host, named()),
  });
}
