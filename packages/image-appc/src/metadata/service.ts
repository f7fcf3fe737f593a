import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SandboxError } from "@sandboxlib/core";
import { type MetadataResponse, type Pod, respond } from "./answer.js";
import { formOf } from "./hmac.js";

/** The metadata service of one pod, while it runs. */
export interface MetadataService extends AsyncDisposable {
  /** The value of AC_METADATA_URL: a port of the loopback, and a token that only the pod gets. */
  readonly url: string;
  /** Stops the service. Resolves when it answers no more requests; it may be called twice. */
  close(): Promise<void>;
}

/** How a metadata service is set up. */
export interface MetadataOptions {
  /** The key of signatures. Services with the same key can verify each other's signatures. Default: a random key. */
  readonly key?: Uint8Array | undefined;
}

/** The most bytes of a form. */
const MOST_BODY = 65_536;
/** The most bytes of the request line and the headers. */
const MOST_HEADERS = 8192;
const MOST_CONNECTIONS = 64;
/** The most time for a request, in milliseconds. */
const REQUEST_TIME = 5000;

/**
 * Serves the metadata of a pod on the loopback of this process's network namespace. A client must be in the same namespace,
 * and must know the URL with its token of 256 random bits.
 *
 * @throws SandboxError `LAUNCH_FAILED` when there is no loopback.
 */
export async function openMetadataService(
  pod: Pod,
  { key = randomBytes(64) }: MetadataOptions = {},
): Promise<MetadataService> {
  const token = randomBytes(32).toString("base64url");
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADERS,
      headersTimeout: REQUEST_TIME,
      requestTimeout: REQUEST_TIME,
      keepAliveTimeout: REQUEST_TIME,
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
    // Otherwise the unread rest of a refused body would be taken for the next request.
    ...(!request.complete && { Connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answered(
  request: IncomingMessage,
  { pod, key, token }: Served,
): Promise<MetadataResponse> {
  const names = namesOf(request, token);
  if (names === undefined) return { status: 403 };
  if (request.method !== "POST")
    return respond(pod, key, { method: request.method ?? "", names, form: undefined });
  const body = await bodyOf(request);
  if (body === undefined) return { status: 413 };
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const form = type === "application/x-www-form-urlencoded" ? formOf(body) : undefined;
  return respond(pod, key, { method: "POST", names, form });
}

/**
 * The names in the path after the token and `acMetadata/v1`; none for a path that the service does not have.
 *
 * @returns undefined for a client that is not the pod.
 */
function namesOf({ url = "", headers }: IncomingMessage, token: string): string[] | undefined {
  // With DNS rebinding a web page could make a browser on the host send requests here. Their Host is the name of the
  // page.
  if (headers.host === undefined || !/^127\.0\.0\.1(:\d+)?$/.test(headers.host)) return undefined;
  // The header may be missing. With another value the client means another service.
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
