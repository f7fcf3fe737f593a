import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SandboxError } from "@sandboxlib/core";
import { type Answer, answer } from "./answer.js";
import { formOf } from "./form.js";
import type { Pod } from "./pod.js";

/** The metadata service of one pod, while it runs. */
export interface MetadataService extends AsyncDisposable {
  /** The value of AC_METADATA_URL: a port of the loopback, and a token that only the pod gets. */
  readonly url: string;
  /** Stops the service. Resolves when it answers no more requests; it may be called twice. */
  close(): Promise<void>;
}

/** How a metadata service is set up. */
export interface MetadataOptions {
  /** The key of signatures. Services with the same key verify each other's signatures. Default: a random one. */
  readonly key?: Uint8Array | undefined;
}

/** The most of a form, in bytes. */
const MOST_BODY = 65_536;
/** The most of the request line and the headers, in bytes. */
const MOST_HEADERS = 8192;
const MOST_CONNECTIONS = 64;
const MILLISECONDS = 5000;

/**
 * Serves the metadata of a pod on the loopback of this process's network namespace. A client has to be in that namespace,
 * too, and to know the URL with its token of 256 random bits.
 *
 * @throws SandboxError `LAUNCH_FAILED` when there is no loopback to listen on.
 */
export async function openMetadataService(
  pod: Pod,
  { key = randomBytes(64) }: MetadataOptions = {},
): Promise<MetadataService> {
  const token = randomBytes(32).toString("base64url");
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADERS,
      headersTimeout: MILLISECONDS,
      requestTimeout: MILLISECONDS,
      keepAliveTimeout: MILLISECONDS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      serve(request, response, { pod, key, token }).catch(() => response.destroy());
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  await listening(server);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/${token}`;
  return { url, close, [Symbol.asyncDispose]: close };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `the metadata service cannot listen on 127.0.0.1: ${cause.message}`;
      reject(new SandboxError("LAUNCH_FAILED", message, { cause }));
    });
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
  });
}

interface Served {
  readonly pod: Pod;
  readonly key: Uint8Array;
  readonly token: string;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  served: Served,
): Promise<void> {
  const { status, type, body, allow } = await answered(request, served);
  response.writeHead(status, {
    ...(type !== undefined && { "Content-Type": type }),
    ...(allow !== undefined && { Allow: allow }),
    "Content-Length": Buffer.byteLength(body ?? ""),
    "Cache-Control": "no-store",
    // The rest of a body that was refused would be taken for the next request.
    ...(!request.complete && { Connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answered(request: IncomingMessage, { pod, key, token }: Served): Promise<Answer> {
  const names = namesOf(request, token);
  if (names === undefined) return { status: 403 };
  if (request.method !== "POST")
    return answer(pod, key, { method: request.method ?? "", names, form: undefined });
  const body = await bodyOf(request);
  if (body === undefined) return { status: 413 };
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const form = type === "application/x-www-form-urlencoded" ? formOf(body) : undefined;
  return answer(pod, key, { method: "POST", names, form });
}

/** The names after the token and `acMetadata/v1`; undefined for a client that is not the pod. */
function namesOf({ url = "", headers }: IncomingMessage, token: string): string[] | undefined {
  // With DNS rebinding, a web page makes a browser on the host send requests here, with the page's own name as the host.
  if (headers.host === undefined || !/^127\.0\.0\.1(:\d+)?$/.test(headers.host)) return undefined;
  // The header is optional; with another value the client means another service.
  const flavor = headers["metadata-flavor"];
  if (flavor !== undefined && flavor !== "AppContainer") return undefined;
  const [path = ""] = url.split("?");
  const [root, given = "", base, version, ...names] = path.split("/");
  if (root !== "" || !isSame(given, token)) return undefined;
  return base === "acMetadata" && version === "v1" ? names : [];
}

function isSame(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The body of a request; undefined when it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > MOST_BODY) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
