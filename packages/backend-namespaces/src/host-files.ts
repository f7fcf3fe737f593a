import type { Host } from "@sandboxlib/core/backend";

/** Reads a setting of sysctl(8); undefined when the kernel does not have it. */
export async function setting(host: Host, name: string): Promise<string | undefined> {
  return (await readFile(host, `/proc/sys/${name.replaceAll(".", "/")}`))?.trim();
}

/** Reads a file of the host; undefined when it cannot be read. */
export async function readFile(host: Host, path: string): Promise<string | undefined> {
  const cat = host.which("cat");
  if (cat === undefined) return undefined;
  const { exitCode, stdout } = await host.run([cat, path]);
  return exitCode === 0 ? stdout : undefined;
}
