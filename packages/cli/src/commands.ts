/** The name of a command, as written after `sandboxlib`. */
export type CommandName =
  | "run"
  | "backends"
  | "doctor"
  | "explain"
  | "plan"
  | "prove"
  | "schema"
  | "session start"
  | "session exec"
  | "session stop"
  | "image"
  | "gc"
  | "new-backend"
  | "completion"
  | "help"
  | "version";

/** A command as the help describes it. */
export interface CommandSpec {
  /** What may follow the name, one line for each form. */
  readonly usage: readonly string[];
  readonly summary: string;
  readonly notes?: readonly string[];
  /** Command lines that work, each with what it does. */
  readonly examples?: readonly Example[];
  /** Whether a ROOT and a COMMAND may follow the options. */
  readonly takesProgram: boolean;
  /** What stands in the place of ROOT. */
  readonly inPlaceOfRoot?: string;
  /** Whether other words may stand among the options. */
  readonly takesWords?: boolean;
}

/** A command line, and what it does. */
export type Example = readonly [line: string, meaning: string];

/** Every command, in the order of the help. */
export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  run: {
    usage: [
      "[OPTIONS] [ROOT] -- COMMAND [ARG...]",
      "[OPTIONS] ROOT COMMAND [ARG...]",
      "[OPTIONS] IMAGE [COMMAND [ARG...]]",
    ],
    summary: "Runs COMMAND in a sandbox.",
    notes: [
      "`run-sandbox` is short for `sandboxlib run`. Options come before ROOT and COMMAND; what follows belongs to the program. Without COMMAND, the config's own is run. A relative path of the host (ROOT, --root, --config, --result-file, SRC of --bind) starts at the working directory; every other path is one inside, and absolute.",
      "ROOT may be an image: an App Container image, an OCI layout or archive, what `docker save` writes, a tar archive, or a squashfs or erofs file. It is unpacked once, and every run writes to a layer of its own, which is thrown away afterwards. Without COMMAND, the image's own is run.",
      "What an option does not mention is isolated: the host's own files are read-only, and there is no network. Of an option that takes one value the last one counts. A --bind, --tmpfs, --proc or --dev takes the place of a mount of the config or a default one with the same target.",
      "SIGINT, SIGTERM and SIGHUP go to the program; a second one ends everything that it started.",
    ],
    examples: [
      ["run-sandbox --cwd / -- ls /", "The host's own files, read-only, and no network."],
      ["run-sandbox --writable . -- touch made", "Nothing but the working directory is writable."],
      [
        "run-sandbox --writable /build --cwd /build root make -j2",
        "A build in a root directory of its own, which may write to /build.",
      ],
      [
        "run-sandbox --hide /root --timeout 10s --meta verdict -- ./solve",
        "What a judge needs: a limit, and a file that says how it ended.",
      ],
      ["run-sandbox --tty image.tar sh", "A shell in an image, on a terminal of its own."],
      ["run-sandbox --config c.json --env DEBUG=1", "A config, with one variable more."],
    ],
    takesProgram: true,
  },
  backends: {
    usage: ["[--json]"],
    summary: "Lists the installed backends, and what keeps one from working here.",
    takesProgram: false,
  },
  doctor: {
    usage: ["[--json]"],
    summary: "Tries what a sandbox needs of this host and says how to get what is missing.",
    notes: ["Exit code 0 when at least one backend can be used, else 1."],
    takesProgram: false,
  },
  explain: {
    usage: ["[OPTIONS] [ROOT] -- [COMMAND [ARG...]]", "[OPTIONS] ROOT [COMMAND [ARG...]]"],
    summary:
      "Says what `run` with the same options would enforce and by what, or why it would refuse.",
    notes: [
      "Nothing is run. The exit code is 0 when `run` would start the program; when it would not, that of the refusal.",
    ],
    examples: [
      [
        "sandboxlib explain --cwd / -- ls /",
        "Which mechanism enforces what, and which option asks.",
      ],
      ["sandboxlib explain --json --cwd / -- ls /", "The same for a program."],
    ],
    takesProgram: true,
  },
  plan: {
    usage: ["[OPTIONS] [ROOT] -o FILE [-- COMMAND [ARG...]]"],
    summary: "Writes a plan, with which the launcher runs commands without Node.",
    notes: [
      "It prints the words to which a command is to be added. They are for this user, this launcher and this root: where one of them has been replaced since, or what a --bind names, nothing is run and the exit code is 125. Without a command, COMMAND or the config's own is run. Exit codes are those of `run`.",
      "Only the backend namespaces has plans. Refused is what the launcher alone cannot do: images, an overlay, and limits that take a cgroup. The environment is that of the plan. With `--result-file RESULT` before FILE, the launcher writes what `run-sandbox` would.",
    ],
    examples: [
      [
        "sandbox=$(sandboxlib plan --backend namespaces --cwd / -o /tmp/true.plan); $sandbox true; rm /tmp/true.plan",
        "Plans once, and runs as often as wanted.",
      ],
    ],
    takesProgram: true,
  },
  prove: {
    usage: ["[OPTIONS] [ROOT]"],
    summary: "Attacks the sandbox of a config with hostile programs, and says what held.",
    notes: [
      "The programs run in the sandbox that `run` with the same options would make, on this host and by its backend; COMMAND is not run. Each attack is tried outside first: what fails there proves nothing, and is not tried. `held`: what is promised was tried to be broken, and held. `failed`: it did not. `not claimed`: the config does not ask for it, with the change after which it would.",
      "Nothing of yours is changed: it is attacked in ways that leave it as it is when they succeed. The program needs a tmpfs inside, such as the default one on /tmp. Exit code 0 when nothing that is promised failed, else 1.",
    ],
    examples: [
      ["sandboxlib prove --cwd /", "Attacks what `run` does by default."],
      ["sandboxlib prove --json --cwd / --network host", "The same for a program."],
    ],
    takesProgram: true,
  },
  "session start": {
    usage: ["[OPTIONS] [ROOT]"],
    summary: "Starts a sandbox for many commands, and prints its name.",
    notes: [
      "A process in the background holds it until `session stop`, and it ends with that process. Only this user can reach it. What its commands leave in /tmp and their processes live as long as it does. It takes a backend that has sessions, such as namespaces.",
    ],
    examples: [
      [
        "name=$(sandboxlib session start --cwd /); sandboxlib session exec $name -- touch /tmp/made; sandboxlib session exec $name -- ls /tmp; sandboxlib session stop $name",
        "Two commands in one sandbox.",
      ],
    ],
    takesProgram: true,
  },
  "session exec": {
    usage: ["[OPTIONS] NAME -- COMMAND [ARG...]"],
    summary: "Runs COMMAND in a session, with the caller's standard streams.",
    notes: [
      "Exit codes are those of `run`. SIGINT, SIGTERM and SIGHUP go to the command. When this process ends, so does the command.",
    ],
    takesProgram: true,
    inPlaceOfRoot: "NAME",
  },
  "session stop": {
    usage: ["NAME"],
    summary: "Ends a session with everything that runs in it.",
    takesProgram: true,
    inPlaceOfRoot: "NAME",
  },
  schema: {
    usage: [""],
    summary: "Prints the JSON Schema of the config.",
    examples: [["sandboxlib schema", "What an editor or another language checks a config with."]],
    takesProgram: false,
  },
  image: {
    usage: [
      "inspect [OPTIONS] FILE",
      "build DIR --aci|--oci -o FILE [OPTIONS]",
      "ls [--json]",
      "rm FILE|DIGEST...",
    ],
    summary: "Says what an image is, makes one of a directory, or looks after those in the cache.",
    notes: [
      "`ls` lists the images in the cache, and `rm` removes some: by the file from which they were unpacked, or by eight digits or more of their digest.",
      "`build` gives the same bytes for the same files: names are sorted, every file belongs to root and is from 1970. With --aci, DIR/manifest and DIR/rootfs become an App Container image; with --oci, DIR is the root, and the archive is an OCI layout.",
    ],
    takesProgram: false,
    takesWords: true,
  },
  gc: {
    usage: ["[--all] [--dry-run] [--json]"],
    summary: "Takes back what runs and sessions that were killed have left on the host.",
    notes: [
      "Images stay in the cache unless --all is given. Exit code 0 when all of it could be taken back, else 1.",
    ],
    takesProgram: false,
  },
  "new-backend": {
    usage: ["[--engine] NAME"],
    summary: "Writes the package of a backend of your own, to begin with.",
    notes: [
      "Into sandboxlib-backend-NAME, a new directory: a backend that works and declares little, and the test kit for it. docs/writing-a-backend.md explains every line.",
    ],
    examples: [
      ["sandboxlib new-backend mine", "Then `npm install` and `npm test` in there."],
      ["sandboxlib new-backend --engine remote", "For what starts its programs elsewhere."],
    ],
    takesProgram: false,
    takesWords: true,
  },
  completion: {
    usage: ["bash|zsh|fish"],
    summary: "Prints the completions of both commands for a shell.",
    notes: ["To have them in each shell, put the line below into what it reads at its start."],
    examples: [
      ["source <(sandboxlib completion bash)", "For bash, in ~/.bashrc."],
      ["source <(sandboxlib completion zsh)", "For zsh, in ~/.zshrc, after compinit."],
      ["sandboxlib completion fish | source", "For fish, in ~/.config/fish/config.fish."],
    ],
    takesProgram: false,
    takesWords: true,
  },
  help: {
    usage: ["[COMMAND]"],
    summary: "Prints the help of a command, or this one.",
    examples: [
      ["sandboxlib help explain", "The same as `sandboxlib explain --help`."],
      ["sandboxlib help run --man | man -l -", "The manual page, where it is not installed."],
    ],
    takesProgram: false,
    takesWords: true,
  },
  version: {
    usage: [""],
    summary: "Prints the version.",
    takesProgram: false,
  },
};

/** The exit codes of `run`, for the help. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ["0-255", "the program's own"],
  ["2", "wrong usage: an option, or a config that is not valid"],
  ["124", "timed out"],
  ["125", "the sandbox failed, or cannot enforce what is asked"],
  ["126", "the command cannot be executed"],
  ["127", "the command was not found"],
  ["128+n", "the program died of signal n; of one that was handed on, so does the tool"],
];

/** The exit codes of `explain`, for the help. */
const EXPLAIN_EXIT_CODES: typeof EXIT_CODES = [
  ["0", "the program would be started"],
  ["2", "wrong usage: an option, or a config that is not valid"],
  ["125", "refused: nothing installed can enforce what is asked"],
];

/** The exit codes of `prove`, for the help. */
const PROVE_EXIT_CODES: typeof EXIT_CODES = [
  ["0", "nothing that is promised failed"],
  ["1", "something that is promised failed"],
  ["2", "wrong usage: an option, or a config that is not valid"],
  ["125", "there is no such sandbox, or no place in it for the programs"],
];

/** The exit codes of a command that have a meaning of their own. */
export function exitCodesOf(command: CommandName): typeof EXIT_CODES {
  if (command === "run") return EXIT_CODES;
  if (command === "prove") return PROVE_EXIT_CODES;
  return command === "explain" ? EXPLAIN_EXIT_CODES : [];
}

/** The variables of the environment that are read, with what each does. */
export const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ["SANDBOXLIB_BACKEND", "The backend to use where --backend does not say."],
  [
    "SANDBOXLIB_BACKEND_PATH",
    "More directories with backends, separated by colons. Each has packages in it, as node_modules has.",
  ],
  [
    "SANDBOXLIB_LINUX_USER_CHROOT",
    "The path of the setuid tool for the backend linux-user-chroot.",
  ],
  [
    "SANDBOXLIB_OCI_RUNTIME",
    "The runtime for the backend oci: the name of an installed one, or the path of one.",
  ],
  ["XDG_CACHE_HOME", "Where images are unpacked, in a directory of ours. Default: ~/.cache."],
  ["FORCE_COLOR", "With 1, colours are shown in a file or a pipe, too; with 0, nowhere."],
  ["NO_COLOR", "If it is not empty, no colours are shown."],
  ["TERM", "With --tty it is handed on. With `dumb`, no colours are shown."],
  ["SHELL", "The shell that --tty runs without COMMAND."],
];

/** The words that may stand first, and those that may follow each; a command has one or two. */
export function firstWords(): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, string[]>();
  for (const name of commandNames()) {
    const [first = "", second] = name.split(" ");
    words.set(first, [...(words.get(first) ?? []), ...(second === undefined ? [] : [second])]);
  }
  return words;
}

/** Whether a word is the name of a command. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The names of all commands. */
export function commandNames(): CommandName[] {
  return Object.keys(COMMANDS).filter(isCommandName);
}
