import type { Topic } from "../case.js";
import { attacked } from "./attacked.js";
import { bind } from "./bind.js";
import { cgroup } from "./cgroup.js";
import { commands } from "./commands.js";
import { contract } from "./contract.js";
import { cwd } from "./cwd.js";
import { dev } from "./dev.js";
import { ending } from "./ending.js";
import { environment } from "./environment.js";
import { exit } from "./exit.js";
import { fds } from "./fds.js";
import { feeding } from "./feeding.js";
import { ground } from "./ground.js";
import { hidden } from "./hidden.js";
import { hostFiles } from "./host-files.js";
import { hostRoot } from "./host-root.js";
import { hostile } from "./hostile.js";
import { init } from "./init.js";
import { leftovers } from "./leftovers.js";
import { limits } from "./limits.js";
import { lines } from "./lines.js";
import { lookup } from "./lookup.js";
import { manyBinds } from "./many-binds.js";
import { memory } from "./memory.js";
import { mirrors } from "./mirrors.js";
import { mountPoints } from "./mount-points.js";
import { namespaces } from "./namespaces.js";
import { nesting } from "./nesting.js";
import { network } from "./network.js";
import { overlap } from "./overlap.js";
import { overlay } from "./overlay.js";
import { plan } from "./plan.js";
import { pool } from "./pool.js";
import { poolEnd } from "./pool-end.js";
import { powers } from "./powers.js";
import { proc } from "./proc.js";
import { redirection } from "./redirection.js";
import { refusals } from "./refusals.js";
import { renamed } from "./renamed.js";
import { replaced } from "./replaced.js";
import { root } from "./root.js";
import { seccomp } from "./seccomp.js";
import { session } from "./session.js";
import { sessionCommands } from "./session-commands.js";
import { sessionEnd } from "./session-end.js";
import { sessionStreams } from "./session-streams.js";
import { sharing } from "./sharing.js";
import { stop } from "./stop.js";
import { stopped } from "./stopped.js";
import { streamFiles } from "./stream-files.js";
import { endlessOutput, streams } from "./streams.js";
import { swapped } from "./swapped.js";
import { tree } from "./tree.js";
import { tty } from "./tty.js";
import { typing } from "./typing.js";
import { usage } from "./usage.js";
import { user } from "./user.js";
import { waysOut } from "./ways-out.js";
import { writable } from "./writable.js";

/** Everything that is asked of a backend. */
export const topics: readonly Topic[] = [
  ground,
  contract,
  leftovers,
  plan,
  commands,
  lookup,
  exit,
  streams,
  endlessOutput,
  feeding,
  lines,
  redirection,
  streamFiles,
  environment,
  cwd,
  root,
  hostRoot,
  overlay,
  writable,
  hidden,
  replaced,
  bind,
  manyBinds,
  memory,
  proc,
  dev,
  overlap,
  renamed,
  mountPoints,
  mirrors,
  network,
  namespaces,
  user,
  powers,
  seccomp,
  nesting,
  attacked,
  waysOut,
  init,
  fds,
  ending,
  limits,
  stop,
  stopped,
  tree,
  hostile,
  hostFiles,
  swapped,
  refusals,
  sharing,
  usage,
  tty,
  typing,
  cgroup,
  session,
  sessionCommands,
  sessionStreams,
  sessionEnd,
  pool,
  poolEnd,
];
