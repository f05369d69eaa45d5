#!/bin/sh
# Takes Apptainer's place where there is none: `run` with its binds, in a mount namespace of its own, and
# with the variables that begin with APPTAINERENV_. Whatever the image, it runs the stand-in program.
set -e
if [ "$1" = run ]; then exec unshare --mount --propagation private "$0" inside "$@"; fi
mount -t tmpfs none /opt
cp "$(dirname "$0")/../step-program.mjs" /opt/step-program.mjs
temporary=
while [ $# -gt 0 ]; do
  if [ "$1" = --bind ]; then
    shift
    mode=${1##*:}
    both=${1%:*}
    source=${both%%:*}
    target=${both#*:}
    if [ "$target" = /tmp ]; then
      # Last, since it hides where the others come from.
      temporary=$source
    else
      mkdir -p "$target"
      mount --bind "$source" "$target"
      if [ "$mode" = ro ]; then mount -o remount,bind,ro "$target"; fi
    fi
  fi
  shift
done
if [ -n "$temporary" ]; then mount --bind "$temporary" /tmp; fi
cd /
for name in $(env | sed -n 's/^APPTAINERENV_\([A-Za-z0-9_]*\)=.*/\1/p'); do
  eval "export $name=\"\$APPTAINERENV_$name\""
  unset "APPTAINERENV_$name"
done
exec node /opt/step-program.mjs
