import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { type Attack, succeeded, untried } from "../attack.js";
import { hostPathOf, isHidden } from "../paths.js";
import { BY_PROFILE } from "./system-calls.js";

/** Reaching others by sockets. */
export const network: readonly Attack[] = [
  {
    title: "a service on localhost is connected to",
    about: ["network.none"],
    remedy: "",
    async run({ both }) {
      let count = 0;
      const server = createServer((socket) => {
        count += 1;
        socket.on("error", () => undefined).destroy();
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      try {
        const address = server.address();
        if (typeof address !== "object" || address === null) return untried("nothing listens");
        return await both(["loopback", String(address.port)]);
      } finally {
        server.close();
      }
    },
  },
  {
    title: "an abstract socket of the host is connected to",
    about: ["network.none"],
    remedy: "",
    async run({ both, helper, token }) {
      const name = `sandboxlib-prove-${token}`;
      await using listener = helper(["listen", name]);
      if ((await listener.said("ready")) === undefined) return untried("outside nothing listens");
      const seen = await both(["abstract", name]);
      // One connection is that from outside.
      return listener.count("connected") > 1 ? succeeded("the host was connected to") : seen;
    },
  },
  {
    title: "there is a way to the outside",
    about: ["network.none"],
    remedy: "",
    run: ({ both }) => both(["route"]),
  },
  {
    title: "there is an interface beside the loopback",
    about: ["network.none"],
    remedy: "",
    run: ({ both }) => both(["interfaces"]),
  },
  {
    title: "a socket of the host is connected to by its path",
    about: [],
    remedy: "Hide the directories in which sockets lie, such as /run, or use a `root` of its own.",
    async run({ config, paths }) {
      const places = socketsOfHost().flatMap((host) => {
        const isInRoot = config.root === "/" || host.startsWith(`${config.root}/`);
        const inside = config.root === "/" ? host : host.slice(config.root.length);
        if (!isInRoot || isHidden(config, inside)) return [];
        return hostPathOf(config, inside) === host ? [{ inside, host }] : [];
      });
      return places.length === 0
        ? untried("none is seen")
        : paths(["socket"], places.slice(0, 100));
    },
  },
  {
    title: "a socket of a family that programs seldom need is opened",
    ...BY_PROFILE,
    run: ({ both }) => both(["families"]),
  },
];

/** Those that somebody listens at. */
function socketsOfHost(): string[] {
  const lines = readFileSync("/proc/net/unix", "latin1").split("\n");
  return [
    ...new Set(lines.flatMap((line) => /^\S+ \S+ \S+ 00010000 .* (\/.+)$/.exec(line)?.[1] ?? [])),
  ];
}
