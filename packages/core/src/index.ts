// What callers use. Authors of backends: see index.backend.ts.
export type { WindowSize } from "./backend/running.js";
export {
  allCapabilities,
  CAPABILITIES,
  type Capability,
  isCapability,
  type Need,
} from "./capability/capability.js";
export { configJsonSchema } from "./config/json-schema.js";
export { defineConfig, parseConfig } from "./config/parse.js";
export type { Word } from "./config/text.js";
export {
  type Config,
  type ConfigInput,
  type Limits,
  type Mount,
  type MountInput,
  NAMESPACES,
  type Namespace,
  type Seccomp,
} from "./config/types.js";
export { type GarbageCollected, gc } from "./gc.js";
export { needs } from "./resolve/needs.js";
export type { Prefer } from "./resolve/resolve.js";
export { degradeConfigForCapabilities, maximumPossibleIsolation } from "./resolve/resolve.js";
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  isSandboxError,
  SandboxError,
} from "./result/error.js";
export type {
  Dropped,
  Ending,
  Enforced,
  Enforcement,
  Exceeded,
  ExitedEnding,
  Known,
  LimitEnding,
  Outcome,
  SandboxResult,
  SignaledEnding,
  StoppedEnding,
  Usage,
} from "./result/result.js";
export { enforces, textOf } from "./result/result.js";
export { signalName, signalNumber } from "./result/signal.js";
export { type JudgeStatus, type JudgeVerdict, verdictOf } from "./result/verdict.js";
export type { SandboxChild } from "./run/child.js";
export type { LinesOptions } from "./run/lines.js";
export type {
  InputSource,
  OutputOption,
  RunOptions,
  StdinOption,
  StdioOptions,
} from "./run/options.js";
export { createSandbox, run, type Sandbox } from "./sandbox.js";
export { createPool, type Pool, type PooledOptions, type PoolOptions } from "./session/pool.js";
export type {
  CommandOptions,
  CommandSettings,
  Session,
  SessionOptions,
} from "./session/session.js";
export { backendForPlatform } from "./start/prepare.js";
export type { SandboxOptions } from "./start/sandbox-options.js";
