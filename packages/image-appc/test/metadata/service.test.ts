import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { parsePodManifest } from "../../src/manifest/pod-manifest.js";
import type { Pod } from "../../src/metadata/answer.js";
import { type MetadataOptions, openMetadataService } from "../../src/metadata/service.js";

const ID = `sha512-${"a".repeat(128)}`;
const MANIFEST = Buffer.from('{ "acKind": "ImageManifest",  "name": "kept/as-it-is" }');

function podNamed(uuid = "1ab0f3a8-4b52-4f6b-9f6c-0a3a0d5b8c11"): Pod {
  const manifest = parsePodManifest(
    Buffer.from(
      JSON.stringify({
        acKind: "PodManifest",
        acVersion: "0.8.11",
        annotations: [{ name: "ip-address", value: "10.1.2.3" }],
        apps: [
          {
            name: "app",
            image: { id: ID },
            annotations: [
              { name: "one", value: "of the pod" },
              { name: "new", value: "too" },
            ],
          },
        ],
      }),
    ),
  );
  const annotations = ["one", "two"].map((name) => ({ name, value: "of the image" }));
  return { uuid, manifest, images: { app: { id: ID, manifest: MANIFEST, annotations } } };
}

async function opened(pod = podNamed(), options: MetadataOptions = {}): Promise<string> {
  const service = await openMetadataService(pod, options);
  onTestFinished(() => service.close());
  return `${service.url}/acMetadata/v1`;
}

function post(url: string, form: Record<string, string>, init: RequestInit = {}) {
  return fetch(url, { method: "POST", body: new URLSearchParams(form), ...init });
}

/** Sends these bytes to the service. @returns all bytes of the answer. */
function raw(url: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.end(bytes));
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

describe("the metadata service", () => {
  it.each([
    ["pod/uuid", "text/plain; charset=us-ascii", "1ab0f3a8-4b52-4f6b-9f6c-0a3a0d5b8c11"],
    ["pod/annotations", "application/json", '[{"name":"ip-address","value":"10.1.2.3"}]'],
    ["pod/manifest", "application/json", JSON.stringify(podNamed().manifest)],
    ["apps/app/image/id", "text/plain; charset=us-ascii", ID],
    ["apps/app/image/manifest", "application/json", MANIFEST.toString()],
    [
      "apps/app/annotations",
      "application/json",
      '[{"name":"one","value":"of the pod"},{"name":"two","value":"of the image"},{"name":"new","value":"too"}]',
    ],
  ])("tells %s", async (path, type, body) => {
    const response = await fetch(`${await opened()}/${path}`, {
      headers: { "Metadata-Flavor": "AppContainer" },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(await response.text()).toBe(body);
  });

  it("signs, and knows its own signature again", async () => {
    const url = await opened();
    const uuid = podNamed().uuid;
    const signature = await (await post(`${url}/pod/hmac/sign`, { content: "of mine" })).text();
    expect(Buffer.from(signature, "base64")).toHaveLength(64);
    const verified = async (form: Record<string, string>) =>
      (await post(`${url}/pod/hmac/verify`, { content: "of mine", uuid, signature, ...form }))
        .status;
    expect(await verified({})).toBe(200);
    expect(await verified({ content: "of yours" })).toBe(403);
    expect(await verified({ signature: "" })).toBe(403);
    expect(await verified({ uuid: "2ab0f3a8-4b52-4f6b-9f6c-0a3a0d5b8c11" })).toBe(403);
  });

  it("signs bytes, also those that are no text", async () => {
    const url = await opened();
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    const posted = (name: string, body: string) =>
      fetch(`${url}/pod/hmac/${name}`, { method: "POST", body, headers: type });
    const signature = await (await posted("sign", "content=%ff")).text();
    const rest = `uuid=${podNamed().uuid}&signature=${encodeURIComponent(signature)}`;
    for (const [content, status] of [
      ["%ff", 200],
      ["%FF", 200],
      ["%fe", 403],
      ["%EF%BF%BD", 403],
      ["%25ff", 403],
    ])
      expect([content, (await posted("verify", `content=${content}&${rest}`)).status]).toEqual([
        content,
        status,
      ]);
  });

  it("reads forms as they are written", async () => {
    const url = await opened();
    const sign = async (body: string) => {
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      return (await fetch(`${url}/pod/hmac/sign`, { method: "POST", body, headers })).text();
    };
    const signature = await sign(new URLSearchParams({ content: "a b+ü&=%" }).toString());
    for (const body of [
      "content=a+b%2B%c3%bc%26%3d%25",
      "x&%63ontent=a%20b%2Bü%26=%",
      "&content=a b%2Bü%26=%&",
    ])
      expect(await sign(body)).toBe(signature);
  });

  it("knows the signatures of other pods that share its key, and of no others", async () => {
    const key = randomBytes(64);
    const other = podNamed("2ab0f3a8-4b52-4f6b-9f6c-0a3a0d5b8c11");
    const [one, two, stranger] = [
      await opened(podNamed(), { key }),
      await opened(other, { key }),
      await opened(),
    ];
    const content = "hello";
    const signature = await (await post(`${two}/pod/hmac/sign`, { content })).text();
    const form = { content, uuid: other.uuid, signature };
    expect((await post(`${one}/pod/hmac/verify`, form)).status).toBe(200);
    expect((await post(`${stranger}/pod/hmac/verify`, form)).status).toBe(403);
  });

  it("answers nobody without the token, or under another name", async () => {
    const url = await opened();
    const { origin } = new URL(url);
    for (const path of ["", "/", "/acMetadata/v1/pod/uuid", "/x/acMetadata/v1/pod/uuid"])
      expect((await fetch(`${origin}${path}`)).status).toBe(403);
    expect(
      (await fetch(`${url}/pod/uuid`, { headers: { "metadata-flavor": "Other" } })).status,
    ).toBe(403);
    const path = new URL(url).pathname;
    const ask = `GET ${path}/pod/uuid HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect(await raw(url, ask)).toMatch(/^HTTP\/1.1 403/);
  });

  it.each([
    ["GET", "nothing", 404],
    ["GET", "apps/app", 404],
    ["GET", "apps/other/image/id", 404],
    ["GET", "apps/toString/image/id", 404],
    ["GET", "apps/__proto__/image/id", 404],
    ["GET", "pod/uuid/more", 404],
    ["GET", "pod/hmac/sign", 405],
    ["DELETE", "pod/uuid", 405],
    ["POST", "pod/manifest", 405],
  ])("%s %s is answered with %d", async (method, path, status) => {
    expect((await fetch(`${await opened()}/${path}`, { method })).status).toBe(status);
  });

  it("refuses a form that is incomplete, ambiguous, large or no form", async () => {
    const url = await opened();
    const status = async (name: string, body: string, type = "application/x-www-form-urlencoded") =>
      (
        await fetch(`${url}/pod/hmac/${name}`, {
          method: "POST",
          body,
          headers: { "Content-Type": type },
        })
      ).status;
    expect(await status("sign", "")).toBe(400);
    expect(await status("sign", "content=a&content=b")).toBe(400);
    expect(await status("verify", "content=a")).toBe(400);
    expect(await status("sign", "content=a", "text/plain")).toBe(415);
    expect(await status("sign", `content=${"a".repeat(70_000)}`)).toBe(413);
  });

  it("ends a body without a declared length that grows too large", async () => {
    const url = await opened();
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.alloc(65_536, "a")),
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const status = await fetch(`${url}/pod/hmac/sign`, init).then(
      (response) => response.status,
      () => "ended",
    );
    expect(["ended", 413]).toContain(status);
  });

  it("refuses headers that are too large, and survives nonsense", async () => {
    const url = await opened();
    const large = `GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`;
    expect(await raw(url, large)).toMatch(/^HTTP\/1.1 4\d\d/);
    expect(await raw(url, "\0\u0001 what\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect((await fetch(`${url}/pod/uuid`)).status).toBe(200);
  });

  it("is gone when it is closed, also for who still holds a connection", async () => {
    const service = await openMetadataService(podNamed());
    await fetch(`${service.url}/acMetadata/v1/pod/uuid`);
    await service.close();
    await service.close();
    await expect(fetch(`${service.url}/acMetadata/v1/pod/uuid`)).rejects.toThrow();
  });
});
