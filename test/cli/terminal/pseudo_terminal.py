"""Runs a program on a pseudo-terminal and plays the user.

Reads from standard input: {"argv": [...], "env": {...}, "columns": 80, "rows": 24,
"steps": [{"await": "text", "send": "keys"}, ...]}. Each step waits until the text has appeared after
the text of the step before, then types. Writes: {"output": "...", "status": 0, "reached": N}, where
N is the number of steps whose text appeared.
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

SECONDS = 150

job = json.load(sys.stdin)
child, terminal = pty.fork()
if child == 0:
    os.execvpe(job["argv"][0], job["argv"], job["env"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", job["rows"], job["columns"], 0, 0))

output = b""
seen = 0
steps = job["steps"]
reached = 0
deadline = time.monotonic() + SECONDS
while time.monotonic() < deadline:
    if reached < len(steps):
        wanted = steps[reached]["await"].encode()
        found = output.find(wanted, seen)
        if found >= 0:
            seen = found + len(wanted)
            os.write(terminal, steps[reached].get("send", "").encode())
            reached += 1
            continue
    ready, _, _ = select.select([terminal], [], [], 0.2)
    if not ready:
        continue
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    output += data
else:
    os.kill(child, 9)
_, status = os.waitpid(child, 0)
print(json.dumps({
    "output": output.decode("utf8", "replace"),
    "status": os.waitstatus_to_exitcode(status),
    "reached": reached,
}))
