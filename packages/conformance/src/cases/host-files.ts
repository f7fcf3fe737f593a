import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";
import type { Context } from "../context.js";
import { hasPowersOfRoot } from "../host/powers.js";
import { compileInterpreter, loader, whyNoCompiler } from "../root/interpreter.js";

/**
 * Says of each path, its number on the host behind it, whether its owner may do what he may. Everything is set to what it
 * is, so that nothing changes even where it can be.
 */
const CHANGE = `
for path in "$@"; do
  mode=$(stat -Lc %a "$path") && owner=$(stat -Lc %u:%g "$path") || continue
  chmod "$mode" "$path" || chown "$owner" "$path" || continue
  echo "$(stat -Lc %d:%i "$path") $(readlink "$path" || echo "$path")"
done 2>&-
exit 0`;

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);

const onlyRoot = (): string | undefined =>
  hasPowersOfRoot() ? undefined : "only root owns the devices of the host";

export const hostFiles: Topic = {
  title: "the host's programs and devices",
  cases: [
    {
      title: "no process inside leads to a program of the host that can be changed",
      needs: ["root", "mount.proc", "isolate.pid"],
      tools: ["chmod", "chown", "stat"],
      async run(context) {
        const script = `set -- /proc/[0-9]*/exe; ${CHANGE}`;
        const { out } = succeeded(await context.sh(script));
        const ofHost = lines(out).filter(
          ([number, path]) =>
            !path.startsWith("/memfd:") && number !== numberOf(context.root + path),
        );
        assert.deepEqual(ofHost, []);
      },
    },
    {
      title: "a program that is a link to its own process gets at no program of the host",
      needs: ["root", "mount.proc", "isolate.pid"],
      skip: whyNoCompiler,
      async run(context) {
        const { allow, put, root, run } = context;
        takeLoader(context);
        symlinkSync("/proc/self/exe", join(root, "work/link"));
        allow("/work");
        put("/work/script", "#!/proc/self/exe\n");
        for (const program of ["/work/link", "/work/script"]) {
          // It is as good if the program cannot be started.
          const out = await run([program]).then(
            (ran) => ran.out,
            (error: unknown) => {
              if (!isSandboxError(error)) throw error;
              return "";
            },
          );
          assert.equal(out, "", `by ${program}`);
        }
      },
    },
    {
      title: "the mode and the owner of a device of the host cannot be changed",
      needs: ["root", "mount.dev"],
      tools: ["chmod", "chown", "stat"],
      skip: onlyRoot,
      async run({ sh }) {
        const { out } = succeeded(await sh([CHANGE, ...DEVICES]));
        // A backend may make devices of its own.
        const ofHost = lines(out).filter(([number, path]) => number === numberOf(path));
        assert.deepEqual(ofHost, []);
      },
    },
    {
      title: "nor of a device that the config binds, which can be used",
      needs: ["root", "mount.bind", "isolate.mount"],
      tools: ["chmod", "chown", "stat"],
      skip: onlyRoot,
      async run({ sh }) {
        const mounts = [{ type: "bind", source: "/dev/zero", target: "/mnt/file" }] as const;
        const script = `head -c 2 "$1" && : > "$1" && ${CHANGE}`;
        assert.equal(succeeded(await sh([script, "/mnt/file"], { mounts })).out, "\0\0");
      },
    },
    {
      title: "nor of what a hidden file is covered with",
      needs: ["root", "hidden"],
      tools: ["chmod", "chown", "stat"],
      skip: onlyRoot,
      async run({ sh }) {
        const hidden = ["/secret.txt"];
        const { out } = succeeded(await sh([CHANGE, ...hidden], { hidden, writable: "all" }));
        assert.deepEqual(lines(out), []);
      },
    },
  ],
};

/** Puts a program of its own where the root has the dynamic loader. */
function takeLoader({ allow, root, scratch }: Context): void {
  const path = join(root, loader());
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  copyFileSync(compileInterpreter(scratch), path);
  allow(loader());
}

function lines(out: string): [number: string, path: string][] {
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => [line.replace(/ .*/, ""), line.replace(/^\S* /, "")]);
}

function numberOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}
