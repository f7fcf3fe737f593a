import {
  COMMANDS,
  type CommandName,
  commandNames,
  firstWords,
  isCommandName,
} from "../commands.js";
import { OPTIONS, type OptionName, optionsOf } from "../options.js";
import {
  doubleWords,
  isPath,
  programCommands,
  spellings,
  subcommandsOf,
  wordsFor,
} from "./words.js";

/** Completions for zsh. */
export function zshCompletion(): string {
  return `#compdef sandboxlib run-sandbox
# Completions of sandboxlib and run-sandbox for zsh. Made by \`sandboxlib completion zsh\`.
# COMMAND and its words.
_sandboxlib_words() {
  if ((CURRENT == 1)); then
    _command_names -e
    _files
  else
    _normal
  fi
}

# The words from ROOT on.
_sandboxlib_program() {
  if ((CURRENT == 1)); then
    _files
  else
    shift words
    ((CURRENT -= 1))
    _sandboxlib_words
  fi
}

_sandboxlib_command() {
  local dashes=\${words[(i)--]}
  if [[ $1 == (${programCommands().map(pattern).join("|")}) ]] && ((dashes < CURRENT)); then
    shift $dashes words
    ((CURRENT -= dashes))
    _sandboxlib_words
    return
  fi
  case $1 in
${commandNames().map(commandCase).join("\n")}
  esac
}

_sandboxlib() {
  local -a subcommands=(
${[...firstWords().keys()].map(described).join("\n")}
  )
  if [[ \${service:-\${words[1]:t}} == run-sandbox ]]; then
    _sandboxlib_command run
  elif ((CURRENT == 2)); then
    _describe command subcommands
    [[ $words[2] == -* ]] && compadd -- --help --version
  else
    local command=$words[2]
    shift words
    ((CURRENT -= 1))
    case $command in
${doubleWords().map(doubleCase).join("\n")}
    esac
    _sandboxlib_command "$command"
  fi
}

if [[ $funcstack[1] == _sandboxlib ]]; then
  _sandboxlib "$@"
else
  compdef _sandboxlib sandboxlib run-sandbox
fi
`;
}

function described(first: string): string {
  const summary = isCommandName(first)
    ? plain(COMMANDS[first].summary)
    : "Sandboxes for many commands.";
  return `    ${quoted(`${first}:${summary}`)}`;
}

function doubleCase([first, seconds]: readonly [string, readonly string[]]): string {
  return `      ${first})
        if ((CURRENT == 2)); then
          compadd -- ${seconds.join(" ")}
          return
        fi
        command="$command $words[2]"
        shift words
        ((CURRENT -= 1)) ;;`;
}

/** A space in a pattern. */
function pattern(name: string): string {
  return name.replace(" ", "\\ ");
}

function commandCase(name: CommandName): string {
  const specs = [...optionsOf(name).map(optionSpec), ...rest(name)];
  return `    ${pattern(name)})
      _arguments -S ${specs.map((spec) => `\\\n        ${spec}`).join(" ")} ;;`;
}

/** What may follow the options. */
function rest(name: CommandName): string[] {
  if (COMMANDS[name].takesProgram) return ["'*:: :_sandboxlib_program'"];
  const words = subcommandsOf(name);
  const first = words.length === 0 ? [] : [`'1:word:(${words.join(" ")})'`];
  return name === "image" ? [...first, "'*:file:_files'"] : first;
}

function optionSpec(name: OptionName): string {
  const option = OPTIONS[name];
  const help = `[${plain(option.help).replace(/[[\]\\:]/g, "\\$&")}]`;
  const isRepeated = option.argument !== undefined && option.repeat === true;
  const value =
    option.argument === undefined
      ? ""
      : `:${plain(option.argument).replaceAll(":", "\\:")}:${action(name)}`;
  return spellings(name)
    .map((spelling) => {
      const assign = option.argument !== undefined && spelling.startsWith("--") ? "=" : "";
      return quoted(`${isRepeated ? "*" : ""}${spelling}${assign}${help}${value}`);
    })
    .join(" ");
}

function action(name: OptionName): string {
  const option = OPTIONS[name];
  const words = wordsFor(option);
  if (words.length > 0) return `(${words.join(" ")})`;
  if (!isPath(option)) return " ";
  return option.completes === "directory" ? "_files -/" : "_files";
}

/** The first sentence, without marks. */
function plain(text: string): string {
  return (/^.*?[.](?= |$)/.exec(text)?.[0] ?? text).replaceAll("`", "");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
