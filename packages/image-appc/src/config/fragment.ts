import { type ConfigInput, SandboxError } from "@sandboxlib/core";
import type { Fragment, Ids } from "@sandboxlib/image";
import { orThrow, type RunStep } from "@sandboxlib/image/format";
import type { App, EventHandler } from "../manifest/app.js";
import { tidy } from "../manifest/fields.js";
import { effectsOf, type IsolatorEffects, limitsOf, type Unmet } from "./isolators.js";
import { maskNotes, mountsOf, type VolumeMount } from "./mount-points.js";
import { ownerOf } from "./owner.js";

/** What an app asks for, with its event handlers: commands that run in the same root. */
export interface AppcFragment extends Fragment {
  readonly preStart: readonly (readonly string[])[];
  readonly postStop: readonly (readonly string[])[];
}

/** What {@link fragmentOf} takes beside the app and its root. */
export interface AppSettings {
  /** The value of AC_APP_NAME. */
  readonly name: string;
  readonly mounts: readonly VolumeMount[];
  readonly metadataUrl: string | undefined;
  readonly degrade: boolean;
  readonly user?: Ids | undefined;
  readonly readOnlyRoot?: boolean | undefined;
}

/**
 * Turns the app of an image or a pod into fields of a config.
 *
 * @throws SandboxError `IMAGE_INVALID`; `CAPABILITY_UNSUPPORTED` for an isolator that cannot be enforced.
 */
export function fragmentOf(
  app: App,
  root: string,
  settings: AppSettings,
  runStep: RunStep = orThrow,
): AppcFragment {
  const { name, mounts, metadataUrl, degrade, readOnlyRoot = false } = settings;
  const { limits, notes, unmet } = runStep(
    () => effectsOf(app.isolators ?? [], "app.isolators"),
    NO_EFFECTS,
  );
  const lacking = [...unmet, ...socketsOf(app)];
  if (!degrade) for (const one of lacking) runStep(() => refuseUnmet([one]), undefined);
  const config: ConfigInput = {
    ...(app.exec !== undefined && { command: app.exec }),
    cwd: tidy(app.workingDirectory || "/"),
    env: envOf(app, name, metadataUrl),
    ...runStep(() => userOf(settings.user ?? ownerOf(app, root)), {}),
    mounts: mountsOf(mounts),
    writable: readOnlyRoot ? [] : "all",
    ...limitsOf({ limits }),
  };
  return {
    config,
    notes: [
      ...notes,
      ...(degrade ? lacking.map(unmetNote) : []),
      ...groupsNote(app),
      ...pwdNote(app),
      ...maskNotes(mounts, root),
    ],
    preStart: handlers(app, "pre-start"),
    postStop: handlers(app, "post-stop"),
  };
}

const NO_EFFECTS: IsolatorEffects = { limits: {}, notes: [], unmet: [] };

/** Sockets that are opened before the app starts, and passed to it, are not supported. */
function socketsOf({ ports = [] }: App): Unmet[] {
  const index = ports.findIndex((port) => port.socketActivated === true);
  if (index === -1) return [];
  return [
    { path: `app.ports[${index}].socketActivated`, reason: "no socket is opened ahead here" },
  ];
}

/**
 * Refuses the first of the given restrictions, which cannot be enforced.
 *
 * @throws SandboxError `CAPABILITY_UNSUPPORTED`
 */
export function refuseUnmet([first]: readonly Unmet[]): void {
  if (first === undefined) return;
  const { path, reason } = first;
  throw new SandboxError("CAPABILITY_UNSUPPORTED", `${path}: ${reason}`, {
    path,
    hint: "--degrade runs the image without it, and says so.",
  });
}

/** Writes the note for what {@link refuseUnmet} would refuse. */
export function unmetNote({ path, reason }: Unmet): string {
  return `not enforced: ${path}: ${reason}`;
}

/** The PATH of an app unless the image sets it. The specification asks for this value. */
const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Makes the environment of an app. The image may set PATH, but not the variables that the specification defines. */
export function envOf(
  app: App | undefined,
  name: string,
  metadataUrl: string | undefined,
): Record<string, string> {
  const own = (app?.environment ?? []).filter((pair) => pair.name !== "PWD");
  return {
    PATH: STANDARD_PATH,
    ...Object.fromEntries(own.map((pair) => [pair.name, pair.value])),
    AC_APP_NAME: name,
    container: "sandboxlib",
    ...(metadataUrl !== undefined && { AC_METADATA_URL: metadataUrl }),
  };
}

/** Leaves the caller's own ids out of the config. They are the default, and some backends support no others. */
function userOf(user: Ids): Pick<ConfigInput, "user"> {
  return user.uid === process.getuid?.() && user.gid === process.getgid?.() ? {} : { user };
}

function groupsNote(app: App): string[] {
  const groups = app.supplementaryGIDs ?? app.supplementaryGids ?? [];
  if (groups.length === 0) return [];
  return [
    `app.supplementaryGIDs: the app gets no group but its own, so it lacks ${groups.join(", ")}`,
  ];
}

function pwdNote({ environment = [] }: App): string[] {
  const index = environment.findIndex(({ name }) => name === "PWD");
  return index === -1
    ? []
    : [`app.environment[${index}]: PWD always is the working directory, and is ignored`];
}

function handlers(app: App, name: EventHandler["name"]): (readonly string[])[] {
  return (app.eventHandlers ?? []).filter((one) => one.name === name).map(({ exec }) => exec);
}
