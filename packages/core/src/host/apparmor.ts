/** A profile of AppArmor, and the command that installs it. */
export interface AppArmorProfile {
  readonly text: string;
  /** For sh(1). It writes the profile where AppArmor loads it at each boot, and loads it now. */
  readonly install: string;
}

/**
 * A profile that lets one program, and no other, make user namespaces, where `kernel.apparmor_restrict_unprivileged_userns`
 * is 1, as on Ubuntu 24.04.
 *
 * @param name - Of the profile, and of its file in /etc/apparmor.d.
 * @param program - The real path of the program: the kernel compares it after all symlinks.
 */
export function userNamespaceProfile(name: string, program: string): AppArmorProfile {
  const lines = [
    "abi <abi/4.0>,",
    `profile ${name} "${escaped(program)}" flags=(unconfined) { userns, }`,
  ];
  const file = `/etc/apparmor.d/${name}`;
  return {
    text: `${lines.join("\n")}\n`,
    install: `printf '%s\\n' ${lines.map(quoted).join(" ")} | sudo tee ${file} && sudo apparmor_parser -r ${file}`,
  };
}

/** A profile is for a pattern of paths, and a variable is written `@{NAME}`. */
function escaped(path: string): string {
  return path.replaceAll(/["\\[\]{}*?^]/g, "\\$&");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
