import type { Host } from "@sandboxlib/core/backend";

/**
 * Whether this bwrap makes a mount point on the host when a symlink in the root leads there through `/oldroot`, as versions
 * before 0.12.0 do (CVE-2026-87766). Distributions fix this without a new version number, so it is tried, in another bwrap
 * whose tmpfs takes the place of the host. It counts as false where it cannot be tried.
 */
export async function followsOldroot(bwrap: string, host: Host): Promise<boolean> {
  const sh = host.which("sh");
  if (sh === undefined) return false;
  const inner = [bwrap, "--bind", "/tmp/root", "/", "--tmpfs", "/link/made", "--", "/none"];
  const outer = `--unshare-user --unshare-pid --die-with-parent --dev-bind / / --tmpfs /tmp
    --dir /tmp/host --dir /tmp/root --symlink /oldroot/tmp/host /tmp/root/link --`.split(/\s+/);
  const script = '"$@"; test -e /tmp/host/made';
  const { exitCode } = await host.run([bwrap, ...outer, sh, "-c", script, "sh", ...inner]);
  return exitCode === 0;
}
