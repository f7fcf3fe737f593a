import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

export const hidden: Topic = {
  title: "hidden",
  cases: [
    {
      title: "what lies in a hidden directory can be neither listed nor read",
      needs: ["root", "hidden"],
      proves: ["hidden"],
      async run({ sh }) {
        const script =
          "ls -RA /secret 2>&-; cat /secret/key /secret/deep/key && exit 1; ls / >/dev/null";
        const { out } = succeeded(await sh(script, { hidden: ["/secret"] }));
        assert(!/key|deep|top secret/.test(out), out);
      },
    },
    {
      title: "what lies in a hidden directory can be hidden once more",
      needs: ["root", "hidden"],
      async run({ sh }) {
        const script = "cat /secret/key /secret/deep/key && exit 1; cat /data/file";
        const config = { hidden: ["/secret/deep/key", "/secret", "/secret/deep", "/secret/key"] };
        assert.equal(succeeded(await sh(script, config)).out, "data\n");
      },
    },
    {
      title: "a hidden file cannot be read, and its neighbours can",
      needs: ["root", "hidden"],
      async run({ sh }) {
        const script = "cat /secret.txt && exit 1; cat /data/deep/file && exit 1; cat /data/file";
        const config = { hidden: ["/secret.txt", "/data/deep/file"] };
        assert.equal(succeeded(await sh(script, config)).out, "data\n");
      },
    },
    {
      title:
        "with the host's network, names still resolve where their configuration is in a hidden directory",
      needs: ["root", "hidden", "network.none"],
      async run({ allow, put, root, sh }) {
        const file = put("/secret/resolv.conf", "nameserver 192.0.2.1\n", 0o644);
        mkdirSync(join(root, "etc"), { recursive: true });
        symlinkSync(`..${file}`, join(root, "etc/resolv.conf"));
        allow("/etc/resolv.conf");
        const script = "cat /secret/key; cat /etc/resolv.conf; exit 0";
        const shown = async (config: ConfigInput): Promise<string> =>
          succeeded(await sh(script, config)).out;
        const all = { network: "host", hidden: ["/secret"] } as const;
        assert.equal(await shown(all), "nameserver 192.0.2.1\n");
        assert.equal(await shown({ ...all, hidden: ["/secret", file] }), "");
        assert.equal(await shown({ ...all, hidden: [file] }), "top secret\n");
        assert.equal(await shown({ hidden: ["/secret"] }), "");
      },
    },
    {
      title: "what is hidden cannot be written, removed or moved",
      needs: ["root", "hidden"],
      tools: ["mv"],
      async run({ root, sh }) {
        const script =
          "echo new > /secret.txt || echo new > /secret/key || echo new > /secret/new || " +
          "rm -f /secret.txt || rm -rf /secret || mv /secret /work/x || mv /secret.txt /work/x";
        const config = { hidden: ["/secret", "/secret.txt"], writable: "all" } as const;
        assert.notEqual((await sh(script, config)).exitCode, 0);
        assert.equal(readFileSync(join(root, "secret/key"), "utf8"), "top secret\n");
        assert.equal(readFileSync(join(root, "secret.txt"), "utf8"), "top secret\n");
      },
    },
    {
      title: "a path in a writable directory can be hidden",
      needs: ["root", "hidden", "writable.paths"],
      async run({ allow, sh }) {
        allow("/data/new");
        const script = "cat /data/deep/file && exit 1; echo new > /data/new && cat /data/new";
        const config = { writable: ["/data"], hidden: ["/data/deep"] };
        assert.equal(succeeded(await sh(script, config)).out, "new\n");
      },
    },
    {
      title: "what is hidden is so too where a bind shows it a second time",
      needs: ["root", "hidden", "mount.bind"],
      async run({ root, sh }) {
        const bind = { type: "bind", readOnly: false } as const;
        const mounts = [
          { ...bind, source: join(root, "secret"), target: "/work" },
          { ...bind, source: root, target: "/mnt/other" },
        ];
        const script =
          "cat /work/key /mnt/other/secret/key /mnt/other/secret.txt && exit 1; cat /work/deep/key";
        const hidden = ["/secret/key", "/secret.txt"];
        assert.equal(succeeded(await sh(script, { mounts, hidden })).out, "top secret\n");
      },
    },
    {
      title: "a path in a bind mount can be hidden",
      needs: ["root", "hidden", "mount.bind"],
      async run({ scratch, sh }) {
        mkdirSync(join(scratch, "private"));
        writeFileSync(join(scratch, "private/key"), "key\n");
        writeFileSync(join(scratch, "open"), "open\n");
        const config = {
          mounts: [{ type: "bind", source: scratch, target: "/mnt/other" }],
          hidden: ["/mnt/other/private"],
        } as const;
        const script = "cat /mnt/other/private/key && exit 1; cat /mnt/other/open";
        assert.equal(succeeded(await sh(script, config)).out, "open\n");
      },
    },
  ],
};
