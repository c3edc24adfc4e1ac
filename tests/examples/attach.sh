#!/bin/sh
# attach.sh TRACER NAME: attaches strace, perf or bpftrace to ioworkload, by its PID, and prints what
# it has seen of the scenario NAME. The workload waits until the tracer says that it is ready, so
# nothing here sleeps, and nothing is lost. ioworkload must be in PATH.
set -eu
tracer=$1 name=$2
case $tracer in
strace | perf | bpftrace) ;;
*) echo "attach.sh: no such tracer: $tracer" >&2; exit 2 ;;
esac

place=$(mktemp -d)
trap 'rm -r "$place"' EXIT
mkfifo "$place/gate" "$place/said" "$place/ready"

# The gate is the workload's standard input; its first line is its PID; its output ends when it does.
ioworkload "$name" --hold=stdin <"$place/gate" >"$place/said" &
workload=$!
exec 3>"$place/gate" 4<"$place/said"
read -r pid <&4

case $tracer in
strace) # says on stderr that it has attached
    strace -o "$place/trace" -p "$pid" 2>"$place/ready" &
    exec 5<"$place/ready"
    read -r ready <&5
    echo >&3
    wait $!
    ;;
perf | bpftrace) # start a command when they are ready: one that opens the gate and waits for the end
    printf 'echo >&3\nexec cat <&4\n' >"$place/open"
    if test "$tracer" = perf; then
        perf trace -o "$place/trace" -p "$pid" -- sh "$place/open"
    else
        bpftrace -o "$place/trace" -c "/bin/sh $place/open" -e "
            tracepoint:raw_syscalls:sys_enter /pid == $pid/ { printf(\"%d\\n\", args->id); }"
    fi
    ;;
esac >&2
wait "$workload"
cat "$place/trace"
