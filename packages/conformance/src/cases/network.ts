import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

const CONNECT = "echo hello | nc -w 2 127.0.0.1 $1";

export const network: Topic = {
  title: "network",
  cases: [
    {
      title: "without a network there is no interface but a loopback",
      needs: ["network.none", "mount.proc"],
      async run({ sh }) {
        const { out } = succeeded(await sh("cat /proc/net/dev", { network: "none" }));
        const names = [...out.matchAll(/^\s*(\S+):/gm)].map(([, name]) => name);
        assert.deepEqual(
          names.filter((name) => name !== "lo"),
          [],
        );
      },
    },
    {
      title: "without a network no listener on the host's loopback is reached",
      needs: ["root", "network.none"],
      tools: ["nc"],
      async run({ sh }) {
        const heard = await listenWhile(0, (port) => sh([CONNECT, port], { network: "none" }));
        assert.equal(heard.connections, 0);
        assert.notEqual(heard.value.exitCode, 0);
      },
    },
    {
      title: "without a network the abstract sockets of the host are not there",
      needs: ["network.none", "mount.proc"],
      async run({ marker, sh }) {
        const config = { network: "none" } as const;
        const { value } = await listenWhile(`\0${marker}`, () => sh("cat /proc/net/unix", config));
        const { out } = succeeded(value);
        assert(
          !out.includes(marker) && out.startsWith("Num"),
          `a socket of the host is seen: ${out}`,
        );
      },
    },
    {
      title: "with the host's network a listener on its loopback is reached",
      needs: ["root"],
      tools: ["nc"],
      async run({ sh }) {
        const heard = await listenWhile(0, (port) => sh([CONNECT, port], { network: "host" }));
        assert.equal(heard.connections, 1);
      },
    },
  ],
};

/** Listens on a port of 127.0.0.1 or on a socket, hangs up on whoever connects, and counts them. */
async function listenWhile<Value>(
  at: 0 | string,
  run: (port: string) => Promise<Value>,
): Promise<{ value: Value; connections: number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined).end("bye\n");
  });
  if (at === 0) server.listen(0, "127.0.0.1");
  else server.listen(at);
  await once(server, "listening");
  try {
    const address = server.address();
    const port = typeof address === "object" ? (address as AddressInfo | null)?.port : undefined;
    const value = await run(String(port));
    return { value, connections };
  } finally {
    server.close();
  }
}
