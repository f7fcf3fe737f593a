import { type ConfigInput, SandboxError } from "@sandboxlib/core";
import type { Fragment, Ids, Volume } from "@sandboxlib/image";
import { type Attempt, orThrow } from "@sandboxlib/image/format";
import type { App, EventHandler } from "../manifest/app.js";
import type { Manifest } from "../manifest/image-manifest.js";
import { tidy } from "../manifest/text.js";
import { type Isolated, isolated, limitsOf, type Unmet } from "./isolators.js";
import { type Mounted, maskedBy, mountedOf, mountsOf, refuseUnused } from "./mount-points.js";
import { ownerOf } from "./owner.js";
import { platformNotes } from "./platform.js";

/** What the caller of a run says beside the image. */
export interface AppcOptions {
  /** `--volume NAME=PATH[:ro]`. */
  readonly volumes: Readonly<Record<string, Volume>>;
  /** Where the metadata service of the run listens; undefined without one. */
  readonly metadataUrl?: string | undefined;
  /** Whether an isolator that cannot be enforced is reported in a note instead of refused. Default: no. */
  readonly degrade?: boolean | undefined;
  /** Replaces the app's own user and group, which are then not looked up. */
  readonly user?: Ids | undefined;
}

/** A fragment with the event handlers of the app: commands that run in the same root. */
export interface AppcFragment extends Fragment {
  readonly preStart: readonly (readonly string[])[];
  readonly postStop: readonly (readonly string[])[];
}

/**
 * Turns an image manifest into a part of a config.
 *
 * @param root - The unpacked root. Users and groups are looked up in it.
 * @throws SandboxError `IMAGE_INVALID`; `CAPABILITY_UNSUPPORTED` for an isolator that cannot be enforced.
 */
export function configOf(
  manifest: Manifest,
  root: string,
  options: AppcOptions,
  attempt: Attempt = orThrow,
): AppcFragment {
  const { app } = manifest;
  const platform = attempt(() => platformNotes(manifest), []);
  const { volumes, metadataUrl, degrade = false, user } = options;
  const name = appNameOf(manifest.name);
  if (app === undefined) {
    refuseUnused(app, volumes);
    const config = { env: envOf(undefined, name, metadataUrl), mounts: mountsOf([]) };
    return {
      config: { ...config, cwd: "/", writable: "all" },
      notes: platform,
      preStart: [],
      postStop: [],
    };
  }
  const mounted = mountedOf(app, volumes, attempt);
  const settings = { name, mounted, metadataUrl, degrade, user };
  const fragment = fragmentOf(app, root, settings, attempt);
  return { ...fragment, notes: [...platform, ...fragment.notes] };
}

/** What {@link fragmentOf} takes beside the app and its root. */
export interface AppSettings {
  /** The value of AC_APP_NAME. */
  readonly name: string;
  readonly mounted: readonly Mounted[];
  readonly metadataUrl: string | undefined;
  readonly degrade: boolean;
  readonly user?: Ids | undefined;
  readonly readOnlyRoot?: boolean | undefined;
}

/** Turns an app, which an image or a pod describes, into a part of a config. */
export function fragmentOf(
  app: App,
  root: string,
  settings: AppSettings,
  attempt: Attempt = orThrow,
): AppcFragment {
  const { name, mounted, metadataUrl, degrade, readOnlyRoot = false } = settings;
  const { limits, notes, unmet } = attempt(
    () => isolated(app.isolators ?? [], "app.isolators"),
    NOT_ISOLATED,
  );
  const lacking = [...unmet, ...socketsOf(app)];
  if (!degrade) for (const one of lacking) attempt(() => refuseUnmet([one]), undefined);
  const config: ConfigInput = {
    ...(app.exec !== undefined && { command: app.exec }),
    cwd: tidy(app.workingDirectory || "/"),
    env: envOf(app, name, metadataUrl),
    ...attempt(() => userOf(settings.user ?? ownerOf(app, root)), {}),
    mounts: mountsOf(mounted),
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
      ...maskedBy(mounted, root),
    ],
    preStart: handlers(app, "pre-start"),
    postStop: handlers(app, "post-stop"),
  };
}

const NOT_ISOLATED: Isolated = { limits: {}, notes: [], unmet: [] };

/** The caller's own ids are left out of the config: they are the default, and some backends support no others. */
function userOf(user: Ids): Pick<ConfigInput, "user"> {
  return user.uid === process.getuid?.() && user.gid === process.getgid?.() ? {} : { user };
}

/** @throws SandboxError `CAPABILITY_UNSUPPORTED` for the first one. */
export function refuseUnmet([first]: readonly Unmet[]): void {
  if (first === undefined) return;
  const { path, reason } = first;
  throw new SandboxError("CAPABILITY_UNSUPPORTED", `${path}: ${reason}`, {
    path,
    hint: "--degrade runs the image without it, and says so.",
  });
}

/** How a note says what {@link refuseUnmet} refuses. */
export function unmetNote({ path, reason }: Unmet): string {
  return `not enforced: ${path}: ${reason}`;
}

/** The name of an image, as the name of its only app. */
export function appNameOf(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.replaceAll(/[^a-z0-9]+/g, "-");
}

/** Where programs are looked up unless the image says otherwise: the value that the specification asks for. */
const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The image may set PATH, but none of the variables that are for the executor to set. */
function envOf(
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

function handlers(app: App, name: EventHandler["name"]): (readonly string[])[] {
  return (app.eventHandlers ?? []).filter((one) => one.name === name).map(({ exec }) => exec);
}

/** A socket that is opened before the app starts, and passed to it, is not supported. */
function socketsOf({ ports = [] }: App): Unmet[] {
  const index = ports.findIndex((port) => port.socketActivated === true);
  if (index === -1) return [];
  return [
    { path: `app.ports[${index}].socketActivated`, reason: "no socket is opened ahead here" },
  ];
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
