import { CONNECT_STEP } from './uplink-scripts.js';

/**
 * What runs before a step's program inside its own namespaces, as process 1 of them: it leaves of the
 * data folder only what the step was given, hides what it was told to hide, takes the privileges away
 * that could undo this, and starts the program.
 *
 * Arguments: the step's folder, the data folder, `root` or `user`, the routes of its network where it
 * reaches some addresses, each a kind and a range, then pairs of what to do and a path, `--`, and
 * the program with its arguments. A folder of the data folder is kept `rw` or `ro`; anything else is
 * to `hide`.
 *
 * The step's folder is where the new data folder is put together, out of the way, before it is laid
 * over the old one.
 */
export const ISOLATION_SCRIPT = `
set -eu
step=$1; data=$2; kind=$3; routes=$4; shift 4
if [ -n "$routes" ]; then${CONNECT_STEP}fi
mount -t tmpfs -o size=1m,mode=0755,nosuid,nodev burnish "$step"
while [ "$1" != -- ]; do
  what=$1; path=$2; shift 2
  if [ "$what" = hide ]; then
    if [ -d "$path" ]; then mount -t tmpfs -o ro,size=4k burnish "$path"
    elif [ -e "$path" ]; then mount --bind /dev/null "$path"; fi
    continue
  fi
  at=$step\${path#"$data"}
  if [ -d "$path" ]; then mkdir -p "$at"; else mkdir -p "\${at%/*}"; : > "$at"; fi
  mount --bind "$path" "$at"
  if [ "$what" = ro ]; then mount -o remount,bind,ro,nosuid,nodev,noexec "$at"; fi
done
shift
mount -o remount,bind,ro,nosuid,nodev "$step"
mount --rbind "$step" "$data"
keep=-all
if [ "$kind" = root ]; then
  for device in /dev/*; do
    if [ -b "$device" ]; then mount --bind /dev/null "$device"; fi
  done
  for path in /proc/sys /proc/sysrq-trigger /sys /sys/fs/cgroup; do
    if [ -e "$path" ]; then mount --bind "$path" "$path"; mount -o remount,bind,ro "$path"; fi
  done
  mount -o remount,bind,ro /
  keep=-all,+dac_override
fi
cd "$step"
trap : TERM
setpriv --no-new-privs --inh-caps=-all --bounding-set="$keep" "$@" &
program=$!
while :; do
  status=0
  wait "$program" || status=$?
  kill -0 "$program" 2> /dev/null || exit "$status"
done
`;
