// cgroup v2, also where this machine has v1: boots Debian's cloud kernel in QEMU, by software emulation, with a root
// file system of this checkout, Node and busybox, and runs the tests of cgroups in there, as root and as a user with a
// delegated directory. Takes some minutes.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aptGet, withLists } from "./lib/guest/apt.mjs";
import { buildImages } from "./lib/guest/image.mjs";
import { fetchKernel } from "./lib/guest/kernel.mjs";

const QEMU = "/usr/bin/qemu-system-x86_64";
const SECONDS = Number(process.env.SANDBOXLIB_GUEST_SECONDS ?? 2700);
const INSTALL = ["install", "--yes", "--no-install-recommends", "qemu-system-x86"];
/** What the guest says last. */
const RESULT = /^GUEST-RESULT (\d+)\r?$/m;

process.exitCode = await main();

async function main() {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-guest-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    if (!existsSync(QEMU)) withLists(() => aptGet(INSTALL));
    const kernel = fetchKernel(directory);
    const { root, swap } = buildImages(directory);
    return await boot(kernel, root, swap);
  } finally {
    remove();
  }
}

function boot(kernel, root, swap) {
  const drive = (file, id) => [
    "-drive",
    `file=${file},if=none,format=raw,cache=unsafe,id=${id}`,
    "-device",
    `nvme,drive=${id},serial=${id}`,
  ];
  const words = "console=ttyS0 root=/dev/nvme0n1 rootfstype=ext4 rw init=/sbin/init panic=-1 quiet";
  const machine = ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"];
  const args = [...machine, "-m", "1536", "-nographic", "-no-reboot", "-nic", "none"];
  const qemu = spawn(
    QEMU,
    [...args, "-kernel", kernel, "-append", words, ...drive(root, "root"), ...drive(swap, "swap")],
    { stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  let said = "";
  qemu.stdout.setEncoding("utf8").on("data", (text) => {
    said = (said + text).slice(-65_536);
    process.stdout.write(text);
  });
  const stop = () => qemu.kill("SIGKILL");
  const timer = setTimeout(stop, SECONDS * 1000);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
  return new Promise((resolve, reject) => {
    qemu.once("error", reject);
    qemu.once("close", () => {
      clearTimeout(timer);
      const status = RESULT.exec(said)?.[1];
      if (status === undefined) console.log(`test-guest: no result within ${SECONDS} seconds`);
      resolve(status === undefined ? 1 : Number(status));
    });
  });
}
