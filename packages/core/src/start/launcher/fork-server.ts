import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { LauncherPlan } from "../../backend/plan.js";
import { spawnTool } from "../spawn-tool.js";
import type { LauncherEnd } from "./channel.js";
import { frame, u8, u32 } from "./frame.js";
import { type KeepAlive, keepAlive } from "./keep-alive.js";
import { type ServerMessage, serverMessageReader } from "./message.js";
import { endOf } from "./own-launcher.js";
import { Watchdog } from "./watchdog.js";

/** Who wants to hear of a launcher that the server has been told to start. */
export interface ForkedChild {
  hear(message: ServerMessage): void;
  /** The server is gone. The launcher notices that, and ends. */
  lose(end: LauncherEnd): void;
}

/** What a fork server is to start. */
export interface LaunchRequest {
  readonly namespaces: number;
  /** Which of the standard streams are pipes; the others are discarded. */
  readonly pipes: readonly [boolean, boolean, boolean];
  /** Our first frames to the launcher. */
  readonly initialBytes: Buffer;
}

/** What the server was told about a launcher and has not answered yet. */
type Answer = "start" | "end";

const MAX_ID = 0xffff_ffff;

/** A fork server that has been started. */
export class ForkServer {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #keepAlive: KeepAlive;
  readonly #children = new Map<
    number,
    { child: ForkedChild; release: () => void; expects?: Answer }
  >();
  /** The server kills a launcher that does not end, so when no answer comes, the server itself is stuck. */
  readonly #watchdog = new Watchdog(() => this.kill());
  #last = 0;
  #isRetired = false;

  constructor({ argv, env }: LauncherPlan) {
    this.#child = spawnTool([...argv, "serve"], {
      env,
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    this.#socket = this.#child.stdio[3] as Socket;
    this.#keepAlive = keepAlive(this.#child);
    const take = serverMessageReader((message) => this.#hear(message));
    this.#socket
      .on("error", () => undefined)
      .on("data", (chunk: Buffer) => {
        this.#watchdog.heard();
        try {
          take(chunk);
        } catch {
          this.kill(); // Whoever breaks the protocol cannot be trusted with an end.
        }
      });
    void endOf(this.#child).then((end) => this.#lose(end));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  isOpen(): boolean {
    return (
      !this.#socket.destroyed && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  /** Starts a launcher, and keeps this process alive until it is gone. Returns its number. */
  start({ namespaces, pipes, initialBytes }: LaunchRequest, child: ForkedChild): number {
    do this.#last = (this.#last % MAX_ID) + 1;
    while (this.#children.has(this.#last));
    const id = this.#last;
    this.#children.set(id, { child, release: this.#keepAlive() });
    this.#expect(id, "start");
    const streams = u8(...pipes.map((isPipe) => (isPipe ? PIPE : DISCARD)));
    const first = initialBytes.subarray(0, CHUNK);
    this.#send("L", u32(id), u32(namespaces), u32(process.umask()), streams, first);
    // A command may be as long as a frame may be, and would not fit into one with the rest of this message.
    for (let at = CHUNK; at < initialBytes.length; at += CHUNK)
      this.write(id, initialBytes.subarray(at, at + CHUNK));
    return id;
  }

  write(id: number, bytes: Buffer): void {
    this.#send("D", u32(id), bytes);
  }

  /** Hangs up on a launcher, which then ends its sandbox. */
  end(id: number): void {
    this.#expect(id, "end");
    this.#send("E", u32(id));
  }

  /** Tells the server to close the pipes of a launcher: our ends have been opened, or never will be. */
  opened(id: number): void {
    this.#send("O", u32(id));
  }

  /** Ends it, and with it everything that it has started. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends it when the launchers that it has started are gone. */
  retire(): void {
    this.#isRetired = true;
    if (this.#children.size === 0) this.#socket.end();
  }

  #expect(id: number, what: Answer): void {
    const known = this.#children.get(id);
    if (known === undefined) return;
    if (known.expects === undefined) this.#watchdog.expect();
    known.expects = what;
  }

  #answered(id: number): void {
    const known = this.#children.get(id);
    if (known?.expects === undefined) return;
    delete known.expects;
    this.#watchdog.answered();
  }

  #send(type: string, ...payload: readonly Uint8Array[]): void {
    this.#socket.write(frame(type, ...payload));
  }

  #hear(message: ServerMessage): void {
    const known = this.#children.get(message.id);
    if (message.type === "began" && known?.expects === "start") this.#answered(message.id);
    if (message.type === "gone" || message.type === "failed") this.#forget(message.id);
    known?.child.hear(message);
  }

  #lose(end: LauncherEnd): void {
    const lost = [...this.#children];
    for (const [id, { child }] of lost) {
      this.#forget(id);
      child.lose(end);
    }
  }

  #forget(id: number): void {
    this.#answered(id);
    this.#children.get(id)?.release();
    this.#children.delete(id);
    if (this.#isRetired) this.retire();
  }
}

const [DISCARD, PIPE] = [1, 2] as const;
const CHUNK = 1024 * 1024;
