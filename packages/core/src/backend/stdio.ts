/**
 * Where a standard stream of a program leads: nowhere, to this process by a pipe, or to an fd of this process. A `relay`
 * is a pipe that a program can open by the name of /dev/stdin or /dev/stdout, as it could what this process copies.
 */
export type StdioTarget = "discard" | "pipe" | "relay" | number;

/** The standard streams of a program. No fd among them is a file, a directory or a device but a terminal. */
export interface StdioTargets {
  readonly stdin: StdioTarget;
  readonly stdout: StdioTarget;
  /** `stdout`: the same place, in the order written. */
  readonly stderr: StdioTarget | "stdout";
  /** Fds above 2 to hand on under the same numbers. */
  readonly passFds?: readonly number[];
}
