#!/usr/bin/env python3
"""attach.py TRACER NAME: as attach.sh, from Python."""

import subprocess
import sys
import tempfile
from subprocess import PIPE

tracer, name = sys.argv[1:]
if tracer not in ("strace", "perf", "bpftrace"):
    sys.exit("attach.py: no such tracer: " + tracer)

trace = tempfile.NamedTemporaryFile("r")
workload = subprocess.Popen(["ioworkload", name, "--hold=stdin"], stdin=PIPE, stdout=PIPE)
pid = workload.stdout.readline().decode().strip()

if tracer == "strace":
    command = ["strace", "-o", trace.name, "-p", pid]
elif tracer == "perf":
    command = ["perf", "trace", "-o", trace.name, "-p", pid, "--", "cat"]
elif tracer == "bpftrace":
    probe = "tracepoint:raw_syscalls:sys_enter /pid == %s/" % pid
    program = probe + ' { printf("%d\\n", args->id); }'
    command = ["bpftrace", "-o", trace.name, "-c", "/bin/cat", "-e", program]

attached = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
if tracer == "strace":
    attached.stderr.readline()  # "strace: Process 123 attached"
else:
    # Both start cat when they are ready, and end with it.
    try:
        attached.stdin.write(b"ready\n")
        attached.stdin.flush()
    except BrokenPipeError:
        pass  # It has ended already, and says below why.
    for line in attached.stdout:
        if line == b"ready\n":
            break

workload.communicate(b"go")
sys.stderr.buffer.write(attached.communicate()[1])
print(trace.read(), end="")
sys.exit(workload.returncode or attached.returncode)
