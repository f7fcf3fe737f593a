import { readdirSync, readlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporary, type Written } from "../made.js";
import { cache, imageOf, type Made, runInside, runners } from "./pod-fixture.js";

const debris = () => readdirSync(join(cache, "sandboxlib/private"));

const all = await runners();
/** One backend, for tests that do not depend on the backend. */
const first = all.find(({ skipped }) => skipped === undefined);

for (const runner of all) {
  const { backend, skipped } = runner;
  const title = `pods with ${backend}${skipped === undefined ? "" : ` (skipped: ${skipped})`}`;
  describe.skipIf(skipped !== undefined)(title, () => {
    const once = it.runIf(runner === first);
    const run = (pod: Written, ...images: Made[]) => runInside(runner, pod, images);
    const app = (name: string, made: Made, fields: Written = {}): Written => ({
      name,
      image: { id: made.id },
      app: made.app,
      ...fields,
    });

    it("run an app as its image says, with what comes before and after it in the same root", async () => {
      const image = imageOf(
        {
          exec: ["main", "an argument"],
          workingDirectory: "/opt/work",
          environment: [{ name: "OF_THE_IMAGE", value: "yes" }],
          eventHandlers: [
            { name: "pre-start", exec: ["before"] },
            { name: "post-stop", exec: ["after"] },
          ],
        },
        {
          before: "test ! -e /main && touch /before && env",
          main: 'test -e /before && test ! -e /after && touch /main && echo "$1" && pwd && env; exit 7',
          after: "test -e /main && touch /after && env",
        },
      );
      const { apps, notes } = await run({ apps: [app("one", image)] }, image);
      expect(notes).toEqual([]);
      const [{ result, failed, after } = { after: [] }] = apps;
      expect(failed).toBe(undefined);
      expect(result).toMatchObject({ exitCode: 7, stderr: "" });
      expect(result?.stdout).toMatch(/^an argument\n\/opt\/work\n/);
      expect(after).toMatchObject([{ exitCode: 0 }]);
      for (const text of [result?.stdout, after[0]?.stdout]) {
        const lines = text?.split("\n") ?? [];
        expect(lines).toContain("OF_THE_IMAGE=yes");
        expect(lines).toContain("AC_APP_NAME=one");
        expect(lines).toContain("container=sandboxlib");
        expect(lines).toContain(
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        expect(
          lines.find((line) => line.startsWith("AC_METADATA_URL=http://127.0.0.1:")),
        ).toBeTruthy();
      }
    });

    once(
      "do not start an app whose preparation fails, and clean up after it all the same",
      async () => {
        const eventHandlers = [
          { name: "pre-start", exec: ["sh", "-c", "echo no; exit 3"] },
          { name: "post-stop", exec: ["sh", "-c", "ls /"] },
        ];
        const image = imageOf({ exec: ["touch", "/main"], eventHandlers });
        const { apps } = await run({ apps: [app("one", image)] }, image);
        expect(apps[0]).toMatchObject({ failed: { exitCode: 3, stdout: "no\n" } });
        expect(apps[0]).not.toHaveProperty("result");
        expect(apps[0]?.after[0]?.stdout.split("\n")).not.toContain("main");
      },
    );

    once("tell their apps about themselves, and sign for them", async () => {
      const ask = 'ask() { wget -q -O - "$AC_METADATA_URL/acMetadata/v1/$1"; echo; }';
      const image = imageOf(
        { exec: ["main"] },
        {
          main: `${ask}
            ask pod/uuid; ask pod/annotations; ask apps/$AC_APP_NAME/image/id; ask apps/one/annotations
            url=$AC_METADATA_URL/acMetadata/v1/pod/hmac
            signature=$(wget -q -O - --post-data content=mine "$url/sign" | sed 's/+/%2B/g')
            form="content=mine&uuid=$(ask pod/uuid)&signature=$signature"
            wget -q -O - --post-data "$form" "$url/verify" && echo right
            wget -q -O - --post-data "x$form" "$url/verify" || echo wrong`,
          sed: 'exec busybox sed "$@"',
        },
      );
      const annotations = [{ name: "of-the-app", value: "2" }];
      const pod = {
        apps: [app("one", image, { annotations })],
        annotations: [{ name: "of-the-pod", value: "1" }],
      };
      const { apps, uuid } = await run(pod, image);
      const lines = apps[0]?.result?.stdout.split("\n") ?? [];
      expect(lines[0]).toBe(uuid);
      expect(lines[1]).toBe('[{"name":"of-the-pod","value":"1"}]');
      expect(lines[2]).toBe(image.id);
      expect(lines[3]).toBe('[{"name":"lorem","value":"ipsum"},{"name":"of-the-app","value":"2"}]');
      expect(lines.slice(4)).toEqual(["right", "wrong", ""]);
    });

    it("share a network, IPC and a host name that are theirs alone", async () => {
      const show = "for kind in net ipc uts; do readlink /proc/self/ns/$kind; done; hostname";
      const [one, two] = [
        imageOf({ exec: ["sh", "-c", `${show}; echo hello | nc -l -p 4000`] }),
        imageOf(
          { exec: ["sh", "-c", `${show}; until nc 127.0.0.1 4000 </dev/null; do sleep 0.1; done`] },
          {},
        ),
      ];
      const { apps } = await run({ apps: [app("one", one), app("two", two)] }, one, two);
      const [first, second] = apps.map(({ result }) => result?.stdout.split("\n") ?? []);
      expect(second?.slice(0, 4)).toEqual(first?.slice(0, 4));
      expect(second?.[4]).toBe("hello");
      expect(first?.[3]).toBe("sandbox");
      const ours = ["net", "ipc", "uts"].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
      for (const [index, number] of ours.entries()) expect(first?.[index]).not.toBe(number);
      expect(hostname()).not.toBe("sandbox");
    });

    it("reach no service of the host, and are not reached from it", async () => {
      const server = createServer((_, response) => response.end("of the host"));
      onTestFinished(() => void server.close());
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const main = `echo $AC_METADATA_URL; nc 127.0.0.1 ${port} </dev/null`;
      const image = imageOf({ exec: ["sh", "-c", main] });
      const { apps } = await run({ apps: [app("one", image)] }, image);
      const { exitCode, stdout = "" } = apps[0]?.result ?? {};
      expect(exitCode).toBe(1);
      await expect(fetch(`${stdout.trim()}/acMetadata/v1/pod/uuid`)).rejects.toThrow();
    });

    it("share volumes: empty ones, which are gone afterwards, and directories of the host", async () => {
      // chroot refuses a read-only mount.
      const isReadOnly = backend !== "chroot";
      const source = temporary();
      const mountPoints = [
        { name: "empty", path: "/shared" },
        { name: "host", path: "/srv/of/the/host", readOnly: isReadOnly },
      ];
      const writer = imageOf({ exec: ["touch", "/shared/seen"], mountPoints });
      const wait = "until test -e /shared/seen; do sleep 0.1; done; touch /srv/of/the/host/x";
      const reader = imageOf({ exec: ["sh", "-c", wait], mountPoints });
      const volumes = [
        { name: "empty", kind: "empty", mode: "0777" },
        { name: "host", kind: "host", source },
      ];
      const pod = { apps: [app("one", writer), app("two", reader)], volumes };
      const { apps } = await run(pod, writer, reader);
      expect(apps[0]?.result?.exitCode).toBe(0);
      expect(apps[1]?.result?.exitCode).toBe(isReadOnly ? 1 : 0);
      expect(readdirSync(source)).toEqual(isReadOnly ? [] : ["x"]);
      expect(debris()).toEqual([]);
    });

    it("never show an app the root of another, even of the same image", async () => {
      const image = imageOf({ exec: ["sh", "-c", "touch /$AC_APP_NAME; sleep 0.3; ls /"] });
      const { apps } = await run({ apps: [app("one", image), app("two", image)] }, image);
      expect(apps[0]?.result?.stdout.split("\n")).not.toContain("two");
      expect(apps[1]?.result?.stdout.split("\n")).not.toContain("one");
    });

    once("run what the pod says in the place of the image", async () => {
      const image = imageOf({ exec: ["false"] });
      const own = { exec: ["echo", "mine"], user: "0", group: "0" };
      const ids = { user: String(process.getuid?.()), group: String(process.getgid?.()) };
      const { apps } = await run({ apps: [app("one", image, { app: { ...own, ...ids } })] }, image);
      expect(apps[0]?.result?.stdout).toBe("mine\n");
    });

    once("say what is not forwarded, and what holds for each app alone", async () => {
      const ports = [{ name: "www", protocol: "tcp", port: 80 }];
      const image = imageOf({ exec: ["true"], ports });
      const pod = { apps: [app("one", image)], ports: [{ name: "www", hostPort: 8080 }] };
      expect((await run(pod, image)).notes).toEqual([
        "ports[0]: www is not forwarded to port 8080 of the host",
      ]);
    });

    once("end every app when one cannot be started", async () => {
      const [stays, missing] = [
        imageOf({ exec: ["sleep", "600"] }),
        imageOf({ exec: ["no-such-program"] }),
      ];
      const pod = { apps: [app("one", stays), app("two", missing)] };
      await expect(run(pod, stays, missing)).rejects.toThrow("no-such-program");
    });

    it.runIf(backend !== "chroot")(
      "keep the root of an app read-only where they say so",
      async () => {
        const image = imageOf({ exec: ["touch", "/x"] });
        const { apps } = await run({ apps: [app("one", image, { readOnlyRootFS: true })] }, image);
        expect(apps[0]?.result?.stderr).toMatch(/Read-only/);
      },
    );
  });
}
