import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { hostname as hostName } from "node:os";
import type { Capability } from "@sandboxlib/core";
import type { Case, Topic } from "../case.js";
import { succeeded } from "../check.js";
import { whileInside } from "../inside.js";

const FILES: readonly (readonly [Capability, string])[] = [
  ["isolate.mount", "mnt"],
  ["isolate.pid", "pid"],
  ["isolate.ipc", "ipc"],
  ["isolate.uts", "uts"],
  ["isolate.user", "user"],
  ["isolate.cgroup", "cgroup"],
  ["network.none", "net"],
];

export const namespaces: Topic = {
  title: "namespaces",
  cases: [
    ...FILES.map(([capability, file]): Case => {
      return {
        title: `${capability} gives a ${file} namespace that is not the host's`,
        needs: [capability],
        proves: [capability],
        async run(context) {
          const link = `ns/${file}`;
          await whileInside(context, `readlink /proc/self/${link} 2>&-`, {}, (out, pid) => {
            const seen = [out.trim(), linkOf(pid, link)].filter((each) => each !== "");
            assert.notDeepEqual(seen, [], `nothing shows the ${file} namespace of the program`);
            const own = readlinkSync(`/proc/self/${link}`);
            for (const each of seen) {
              assert.match(each, new RegExp(`^${file}:\\[\\d+\\]$`));
              assert(each !== own, `the program is in the ${file} namespace of the host`);
            }
          });
          const { enforced } = succeeded(await context.sh(":")).enforcement;
          assert(enforced.some((entry) => entry.capability === capability));
        },
      };
    }),
    {
      title: "a config that isolates nothing runs",
      async run({ sh }) {
        const config = { isolate: [], network: "host" } as const;
        const { enforcement } = succeeded(await sh("exit 0", config));
        const isolation = enforcement.enforced.filter(({ capability }) =>
          /^(isolate|network)\./.test(capability),
        );
        assert.deepEqual(isolation, []);
      },
    },
    {
      title: "the host name inside is the given one, and the host keeps its own",
      needs: ["hostname", "isolate.uts"],
      proves: ["hostname"],
      async run({ sh }) {
        const before = hostName();
        const { out } = succeeded(await sh("uname -n", { hostname: "kit-host.example" }));
        assert.deepEqual([out, hostName()], ["kit-host.example\n", before]);
      },
    },
    {
      title: "the host name inside is sandbox where none is given",
      needs: ["isolate.uts"],
      async run({ sh }) {
        assert.equal(succeeded(await sh("uname -n")).out, "sandbox\n");
      },
    },
  ],
};

/** A link of a process as the host sees it; empty where it cannot be seen. */
function linkOf(pid: number | undefined, link: string): string {
  try {
    return pid === undefined ? "" : readlinkSync(`/proc/${pid}/${link}`);
  } catch {
    return "";
  }
}
