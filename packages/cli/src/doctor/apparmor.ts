import { userNamespaceProfile } from "@sandboxlib/core/backend";
import { RESTRICTED } from "./observe.js";
import { type Finder, fixIn, hasCapability, labelOf, type Seen, statusOf } from "./seen.js";
import { commandOf } from "./steps.js";

/** Ubuntu's rule: a program without a profile may make a user namespace, but has no capability in there. */
export const restricted: Finder = (seen) => {
  const { host } = seen;
  if (!binds(seen)) return undefined;
  const refused = host.programs.filter(({ works }) => !works);
  const cause = `AppArmor gives programs without a profile no user namespaces that are of use (kernel.apparmor_restrict_unprivileged_userns is 1): ${shown(seen)}`;
  if (host.programs.length > refused.length && refused.length === 0) {
    const may = host.programs.map(({ path }) => path).join(" and ");
    return { layer: "apparmor", works: true, cause: `${cause}. ${may} can make them` };
  }
  const fixes = refused.map(({ name, path }) => userNamespaceProfile(name, path).install);
  return { layer: "apparmor", cause, fix: fixes.length === 0 ? NO_PROGRAM : fixes.join("\n") };
};

const NO_PROGRAM =
  "Install @sandboxlib/backend-namespaces or bubblewrap, and run this again: a profile is for the path of one program.";

function binds({ step, error, host }: Seen): boolean {
  const isOn = host.read(RESTRICTED) === "1" && !hasCapability(host, "SYS_ADMIN");
  if (!isOn || !["EPERM", "EACCES"].includes(error)) return false;
  if (!["", "unconfined"].includes(labelOf(host))) return false;
  // At first AppArmor refused the namespace itself, which a filter of system calls does as well.
  return step !== "user" || error === "EACCES" || statusOf(host, "Seccomp") === "0";
}

function shown({ step, error }: Seen): string {
  const refused = `\`${commandOf(step)}\` gets ${error}`;
  return step === "user"
    ? refused
    : `\`${commandOf("user")}\` works, and ${refused}, since it takes a capability in there`;
}

/** The profile that a container engine, or whoever else, has put on this process. */
export const ownProfile: Finder = ({ error, host }) => {
  const label = labelOf(host);
  // A capability that is missing gives EPERM.
  if (error !== "EACCES" || !label.endsWith(" (enforce)")) return undefined;
  return {
    layer: "apparmor",
    cause: `the profile of AppArmor on this process, "${label}" in /proc/self/attr/current: EACCES comes from a security module`,
    fix: fixIn(host, "apparmor"),
  };
};
