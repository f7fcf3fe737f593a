/** The fd on which the shell reports. */
export const REPORT_FD = 8;

/**
 * Runs inside, as `/bin/sh -c SUPERVISOR SUPERVISOR HIGHEST VARIABLES NAME=VALUE... PROGRAM...`, by the root's own
 * shell, as pid 1: linux-user-chroot itself says 1 for everything, and gives the program fds that lead out of the root.
 *
 * - First it closes the fds up to HIGHEST, in itself too: /proc/1/fd leads wherever they lead. A shell such as dash
 *   knows no fd above 9, so it hands over to bash where it must.
 * - `env -i` sets the environment: a shell drops names that it cannot use as variables, and adds some of its own.
 * - Its own standard error is the report, since shells say there how a program died.
 */
export const SUPERVISOR: string = `
highest=$1
exec 3>&- 4>&- 5>&- 6>&- 7>&- 9>&-
exec 7>&2 2>&8
give_up() { echo "failed $*" >&8; exit 125; }
if [ "$highest" -gt 9 ]; then
  if (PATH=/dev/null; eval "exec 10>&-") 2>&-; then
    fd=10
    while [ "$fd" -le "$highest" ]; do
      eval "exec $fd>&-"
      fd=$((fd + 1))
    done
  elif [ -z "$BASH_VERSION" ] && [ -x /bin/bash ]; then
    exec /bin/bash --norc --noprofile -p -c "$0" "$0" "$@" 2>&7 7>&-
  else
    give_up LAUNCH_FAILED "the /bin/sh of the root cannot close fds above 9: put /bin/bash beside it, or bind at most 5 paths"
  fi
fi
shift
eval "program=\\\${$(($1 + 2))}"
shift
for env in /usr/bin/env /bin/env ""; do
  [ -x "$env" ] && break
done
[ -n "$env" ] || give_up LAUNCH_FAILED "the root has neither /usr/bin/env nor /bin/env"
case $program in
  *=*) give_up COMMAND_NOT_EXECUTABLE "command: a name with \\"=\\" cannot be started" ;;
  */*)
    [ -e "$program" ] || give_up COMMAND_NOT_FOUND "command: it does not exist inside"
    [ -f "$program" ] && [ -x "$program" ] || give_up COMMAND_NOT_EXECUTABLE "command: it cannot be executed"
    ;;
esac
echo "up $$" >&8
(exec "$env" -i -- "$@" 2>&7 7>&- 8>&-)
status=$?
echo "exit $status" >&8
exit "$status"
`;

/** The highest fd that is open when a tool that closes none has opened `count` more: always the lowest free one. */
export function highestFd(count: number): number {
  return count < REPORT_FD - 2 ? 2 + count : 3 + count;
}
