import { lookUp } from "../root/look-up.js";

/**
 * The groups beside its own that an image's user has as a member, by name. Only a name without a group has any, as
 * elsewhere.
 */
export function otherGroups(root: string, user: string): string[] {
  if (user === "" || user.includes(":") || /^\d+$/.test(user)) return [];
  return (lookUp(root, "/etc/group") ?? "")
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([, , , members = ""]) => members.split(",").includes(user))
    .map(([name = ""]) => name);
}
