import { FILL_DEV } from "./tools.js";

/**
 * The directory on which the root is mounted at first. Nobody outside of the private mount namespace sees these mounts.
 */
export const STAGE = "/proc/fs";

/**
 * Sets up the root and starts the program. It runs as `sh -c SETUP sh LAST ROOT [OPERATION DIRECTORY NAME WORD]... --
 * COMMAND...`, in a mount namespace of its own, with a new pid namespace for its children. It reports on fd 3. Fd 4 is a pipe
 * that is closed when the run ends.
 *
 * - The first child is pid 1 inside. It ends when fd 4 is closed, and then the kernel kills every other process. It ignores
 *   SIGCHLD, which a shell cannot do, so that the kernel reaps orphans. It keeps fd 3 open until the end.
 * - LAST is the tool that becomes the program. A program that is a link to `/proc/self/exe` starts that tool once more, with
 *   the libraries of the root, and these could open its file. So the file is bound read-only over itself.
 * - The `/dev` of the host is read-only, so that the program cannot change the mode of a device through a bind. File systems
 *   that are mounted below `/dev` are not.
 * - The root is mounted at the stage. Mounts over paths of the host could replace the tools that run next.
 * - A hostile root may put a symlink at a mount point after that was looked up. So the setup enters the directory, and then
 *   compares its path with the one that was looked up. A file is opened and compared instead.
 * - Until the program starts, standard error is fd 3.
 * - setsid(1) tells a death by a signal from an exit status above 128. A shell cannot do that, and unshare(1) of util-linux
 *   2.38 turns SIGKILL into exit status 1.
 */
export const SETUP: string = `
env --ignore-signal=CHLD cat <&4 4<&- >/dev/null 2>&1 &
init=$!
exec 5>&2 2>&3
stage=${STAGE}
fail() { echo "$1" >&2; exit 125; }
enter() { cd -P -- "$1" && [ "$PWD" = "$1" ] || fail "$1 has changed since it was looked up"; }
dev() { ${FILL_DEV}; }
mount -cin -o bind,ro "$1" "$1" || exit 125
mount -cin -o remount,bind,ro /dev 2>&- ||
  { mount -cin --rbind /dev /dev && mount -cin -o remount,bind,ro /dev; } || exit 125
shift
enter "$1"
mount -cin --rbind . $stage || exit 125
shift
while [ "$1" != -- ]; do
  enter "$stage$2"
  case $1 in
    mkdir) [ -e "./$3" ] || mkdir "./$3" ;;
    touch) [ -e "./$3" ] || (set -C; : >"./$3") ;;
    bind) mount -cin --rbind "$4" . ;;
    file)
      [ ! -p "./$3" ] && exec 9<"./$3" && [ ! -L "./$3" ] && [ "./$3" -ef /proc/self/fd/9 ] &&
        mount -cin --bind "$4" /proc/self/fd/9 && exec 9<&- ;;
    dev)
      mount -cin -t tmpfs -o "$4" tmpfs $stage && dev $stage && mount -cin --move $stage . ;;
    *) mount -cin -t "$1" -o "$4" "$1" . ;;
  esac || fail "$1 at $2\${3:+/$3} failed"
  shift 4
done
shift
cd -P $stage/ && mount -cin --move . / || fail "the root cannot be moved to /"
echo "init $init" >&3
exec setsid --fork --wait sh -c 'exec "$@" 2>&5 3>&- 4<&- 5>&-' sh "$@"
`;
