import { bubblewrap } from "./bubblewrap.mjs";
import { withExeca } from "./execa.mjs";
import { library } from "./library.mjs";
import { nsjail } from "./nsjail.mjs";
import { oci } from "./oci.mjs";
import { plain } from "./plain.mjs";
import { pool } from "./pool.mjs";
import { rival } from "./rival.mjs";
import { session } from "./session.mjs";
import { unshare } from "./unshare.mjs";

/** Everything that is compared, by the name that the tables and the budgets use. */
export const CONTENDERS = {
  "plain spawn": plain,
  execa: withExeca,
  unshare,
  bwrap: bubblewrap,
  nsjail,
  crun: oci("crun", ["--cgroup-manager=disabled"]),
  runc: oci("runc"),
  "sandboxlib, chroot": library("chroot", { writable: "all", network: "host", isolate: [] }),
  "sandboxlib, bubblewrap": library("bubblewrap"),
  "sandboxlib, namespaces": library("namespaces"),
  "sandboxlib, session": session,
  "sandboxlib, pool": pool,
  "sandbox-runtime": rival(() => import("../rivals/sandbox-runtime.mjs")),
  "mxc-sdk": rival(() => import("../rivals/mxc-sdk.mjs")),
};

/** The other libraries. */
export const RIVALS = ["sandbox-runtime", "mxc-sdk"];

/** Makes contenders ready to run one command: those that can, and why the others cannot. */
export async function prepare(names, { argv, binds = [] }) {
  const ready = {};
  const skipped = {};
  for (const name of names) {
    const contender = await CONTENDERS[name]({ argv, binds });
    if (contender.skipped === undefined) ready[name] = contender;
    else skipped[name] = contender.skipped;
  }
  const close = async () => {
    for (const contender of Object.values(ready)) await contender.close?.();
  };
  return { ready, skipped, close };
}
