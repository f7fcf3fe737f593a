import { type CommandName, commandNames, firstWords } from "../commands.js";
import { OPTIONS, type OptionName, optionsOf } from "../options.js";
import {
  doubleWords,
  isPath,
  programCommands,
  spellings,
  subcommandsOf,
  valuedOptions,
  wordsFor,
} from "./words.js";

/** Completions for bash 4 and newer. bash splits an option with `=` into three words. */
export function bashCompletion(): string {
  return `# Completions of sandboxlib and run-sandbox for bash. Made by \`sandboxlib completion bash\`.
_sandboxlib() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} i=1 program=0 command=run
  COMPREPLY=()
  if [[ $prev == "=" ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $cur == "=" ]]; then cur=; fi
  if [[ \${COMP_WORDS[0]##*/} == sandboxlib ]]; then
    if ((COMP_CWORD == 1)); then
      COMPREPLY=($(compgen -W "${[...firstWords().keys()].join(" ")} --help --version" -- "$cur"))
      return
    fi
    command=\${COMP_WORDS[1]} i=2
    case $command in
${doubleWords().map(doubleCase).join("\n")}
    esac
  fi
  # Where the options end: there are ROOT and COMMAND.
  while ((i < COMP_CWORD)); do
    case \${COMP_WORDS[i]} in
      --) program=$((i + 1)); break ;;
      ${spelled(valuedOptions()).join("|")})
        if [[ \${COMP_WORDS[i+1]} == "=" ]]; then ((i += 3)); else ((i += 2)); fi ;;
      -*) ((i += 1)) ;;
      *)
        program=$((i + 1))
        if ((program < COMP_CWORD)) && [[ \${COMP_WORDS[program]} == -- ]]; then ((program += 1)); fi
        break ;;
    esac
  done
  if ((program)); then
    case $command in
      ${programCommands().map(inQuotes).join("|")})
        if ((COMP_CWORD == program)); then mapfile -t COMPREPLY < <(compgen -c -- "$cur"); fi
        compopt -o default
        return ;;
    esac
  fi
  case $prev in
${valueCases()}
  esac
  case $command in
${commandNames().map(commandCase).join("\n")}
  esac
}
complete -F _sandboxlib sandboxlib run-sandbox
`;
}

function doubleCase([first, seconds]: readonly [string, readonly string[]]): string {
  return `      ${first})
        if ((COMP_CWORD == 2)); then
          COMPREPLY=($(compgen -W "${seconds.join(" ")}" -- "$cur"))
          return
        fi
        command="$command \${COMP_WORDS[2]}" i=3 ;;`;
}

function inQuotes(name: string): string {
  return `"${name}"`;
}

function spelled(names: readonly OptionName[]): string[] {
  return names.flatMap(spellings);
}

/** What is completed after each option with an argument. */
function valueCases(): string {
  const names = valuedOptions();
  const withWords = names.filter((name) => wordsFor(OPTIONS[name]).length > 0);
  const paths = names.filter((name) => isPath(OPTIONS[name]));
  const others = names.filter((name) => !withWords.includes(name) && !paths.includes(name));
  return [
    ...withWords.map((name) => {
      const words = wordsFor(OPTIONS[name]).join(" ");
      return `    --${name}) COMPREPLY=($(compgen -W "${words}" -- "$cur")); return ;;`;
    }),
    `    ${spelled(paths).join("|")}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;`,
    `    ${spelled(others).join("|")}) return ;;`,
  ].join("\n");
}

function commandCase(name: CommandName): string {
  const options = spelled(optionsOf(name)).join(" ");
  const words = subcommandsOf(name).join(" ");
  const rest = programCommands().includes(name) || name === "image" ? "compopt -o default" : ":";
  return `    ${inQuotes(name)})
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${options}" -- "$cur"))
      else COMPREPLY=($(compgen -W "${words}" -- "$cur")); ${rest}; fi ;;`;
}
