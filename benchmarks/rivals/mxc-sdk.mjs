import { getPlatformSupport, run as runInContainer } from "@microsoft/mxc-sdk/v1";

/** As its README does it: one call a run. The host's root is read-only and there is no network, as in our default. */
export async function start() {
  const { isSupported, reason } = getPlatformSupport();
  if (!isSupported) throw new Error(reason);
  return { run, close: () => undefined };
}

async function run(argv) {
  const { exitCode, stderr } = await runInContainer({
    command: argv.join(" "),
    filesystem: { readonlyPaths: ["/"] },
    network: { egress: { default: "deny" } },
  });
  if (exitCode !== 0) throw new Error(`ended with ${exitCode}: ${stderr}`);
}
