import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import type { Socket } from "node:net";
import type { LauncherPlan } from "../../backend/plan.js";
import { killChild } from "../../host/processes.js";
import { spawnTool } from "../spawn-tool.js";
import type { LauncherEnd } from "./channel.js";
import { frame, strs, u8, u32, u64 } from "./frame.js";
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
  /** From `nextId`. */
  readonly id: number;
  readonly namespaces: number;
  /** Which of the standard streams are pipes; the others are discarded. */
  readonly pipes: readonly [boolean, boolean, boolean];
  /** Whether its command comes later. Meanwhile it does not keep this process alive: see {@link ForkServer.hold}. */
  readonly waits: boolean;
  /** Our first frames to the launcher. */
  readonly initialBytes: Buffer;
}

/** A program of the host that a fork server is to start. */
export interface ToolRequest {
  /** From `nextId`. */
  readonly id: number;
  readonly streams: readonly [
    "discard" | "pipe",
    "discard" | "pipe",
    "discard" | "pipe" | "stdout",
  ];
  /** The soft limit of open files; 0 for that of this process. */
  readonly openFiles: number;
  /** Whether it is to see the host's /dev read-only, in a mount namespace of its own. */
  readonly readOnlyDev: boolean;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it finds on which fd: bytes, or a pipe that we write to or read. At most three are pipes. */
  readonly fds: readonly { readonly fd: number; readonly content: Uint8Array | "in" | "out" }[];
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
    { child: ForkedChild; release: () => void; expects?: Answer; isKilled?: boolean }
  >();
  /** The server kills a launcher that does not end, so when no answer comes, the server itself is stuck. */
  readonly #watchdog = new Watchdog(() => this.kill());
  #last = 0;
  #isRetired = false;

  constructor({ argv, env }: Pick<LauncherPlan, "argv" | "env">) {
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

  /** A number for a launcher and for its command. */
  nextId(): number {
    do this.#last = (this.#last % MAX_ID) + 1;
    while (this.#children.has(this.#last));
    return this.#last;
  }

  /** Starts a launcher, and keeps this process alive until it is gone, unless it waits. */
  start({ id, namespaces, pipes, waits, initialBytes }: LaunchRequest, child: ForkedChild): void {
    const release = waits ? (): void => undefined : this.hold();
    this.#children.set(id, { child, release });
    this.#expect(id, "start");
    const streams = u8(...pipes.map((isPipe) => (isPipe ? PIPE : DISCARD)), waits ? 1 : 0);
    const first = initialBytes.subarray(0, CHUNK);
    this.#send("L", u32(id), u32(namespaces), u32(process.umask()), streams, first);
    // A command may be as long as a frame may be, and would not fit into one with the rest of this message.
    for (let at = CHUNK; at < initialBytes.length; at += CHUNK)
      this.write(id, initialBytes.subarray(at, at + CHUNK));
  }

  /** Starts a tool, and keeps this process alive until it is gone. It dies with the server. */
  startTool(
    { id, openFiles, streams, readOnlyDev, argv, env, fds }: ToolRequest,
    child: ForkedChild,
  ): void {
    this.#children.set(id, { child, release: this.hold() });
    this.#expect(id, "start");
    this.#send(
      "T",
      u32(id),
      u32(process.umask()),
      u64(openFiles),
      u8(...streams.map((stream) => TOOL_STREAMS[stream]), readOnlyDev ? 1 : 0),
      strs(argv),
      strs(Object.entries(env).map(([name, value]) => `${name}=${value}`)),
      u32(fds.length),
      ...fds.flatMap(({ fd, content }) => {
        if (content === "in" || content === "out")
          return [u32(fd), u8(content === "in" ? 1 : 2), u32(0)];
        return [u32(fd), u8(3), u32(content.length), content];
      }),
    );
  }

  /** Keeps this process alive until the function that it returns is called. */
  hold(): () => void {
    return this.#keepAlive();
  }

  write(id: number, bytes: Buffer): void {
    this.#send("D", u32(id), bytes);
  }

  /** Keeps the program of a launcher from beginning. What is written to the server, the server has to pass on first. */
  forbid(id: number): void {
    const known = this.#children.get(id);
    if (known !== undefined) known.isKilled = this.#setKillFlag(id, 1);
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
    killChild(this.#child);
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

  #setKillFlag(id: number, flag: 0 | 1): boolean {
    try {
      const file = openSync(`/proc/${this.pid}/fd/${KILL_FLAGS_FD}`, "r+");
      try {
        return writeSync(file, Uint8Array.of(flag), 0, 1, id % KILL_FLAGS) === 1;
      } finally {
        closeSync(file);
      }
    } catch {
      return false; // The server is gone, or this process has no fd left: the signal still comes.
    }
  }

  #forget(id: number): void {
    this.#answered(id);
    const known = this.#children.get(id);
    known?.release();
    if (known?.isKilled === true) this.#setKillFlag(id, 0);
    this.#children.delete(id);
    if (this.#isRetired) this.retire();
  }
}

const [DISCARD, PIPE] = [1, 2] as const;
const TOOL_STREAMS = { discard: DISCARD, pipe: PIPE, stdout: 3 } as const;
const CHUNK = 1024 * 1024;

/** See PROTOCOL.md of the launcher. */
const [KILL_FLAGS_FD, KILL_FLAGS] = [4, 65536] as const;
