//! `--expect`: the calls of a run, as JSON. The scenario's own are the text of its expected trace,
//! which src/build.rs has cut into pieces; around them stand those of the gates and the pauses.

use crate::gate::{Gate, Mode, POLL_MS};
use crate::packed::{NUMBER, Packed};
use crate::story::Scenario;
use crate::sys::Timespec;
use crate::text::Stream;

/// A run to be told.
pub struct Run<'a> {
    /// Of what.
    pub scenario: &'a Scenario,
    /// How often.
    pub count: u32,
    /// The pause between two rounds, in microseconds.
    pub pause_us: u32,
    /// Before the scenario, and after it.
    pub gates: [Gate<'a>; 2],
}

/// Writes the calls of a run.
pub fn write(out: &mut Stream, run: &Run<'_>) {
    let trace = &run.scenario.expected;
    let [hold, linger] = &run.gates;
    out.packed(trace.head);
    pid_line(out, &run.gates);
    wait(out, hold, "&gate_hold");
    lines(out, "", trace.front, "\n");
    rounds(out, run);
    lines(out, "", trace.back, "\n");
    wait(out, linger, "&gate_linger");
    out.packed(trace.tail);
    if !trace.children.is_empty() {
        children(out, run);
    }
}

fn children(out: &mut Stream, run: &Run<'_>) {
    let trace = &run.scenario.expected;
    if run.count == 1 {
        lines(out, "", trace.children, "");
    } else {
        out.text("    {\"repeat\": ").number(run.count.into());
        out.text(", \"children\": [\n");
        lines(out, "  ", trace.children, "\n");
        out.text("    ]}");
    }
    out.packed(trace.end);
}

/// The rounds; the number that a round passes on is its own, so the last, which has no pause behind
/// it, says which it is.
fn rounds(out: &mut Stream, run: &Run<'_>) {
    let round = run.scenario.expected.round;
    if run.count == 1 && run.scenario.rounds.is_none() {
        return lines(out, "", round, ",\n");
    }
    if run.pause_us == 0 || run.count == 1 {
        return repeat(out, run.count, |out| lines(out, "  ", round, "\n"));
    }
    repeat(out, run.count - 1, |out| {
        lines(out, "  ", round, ",\n");
        let pause = Timespec::from_us(run.pause_us.into());
        nanosleep(out, "  ", "&gate_pause", pause, "\n");
    });
    repeat(out, 1, |out| {
        numbered(out, "  ", round, Some(run.count), "\n");
    });
}

fn repeat(out: &mut Stream, count: u32, calls: impl FnOnce(&mut Stream)) {
    out.text("    {\"repeat\": ").number(count.into());
    out.text(", \"calls\": [\n");
    calls(out);
    out.text("    ]},\n");
}

/// Writes lines, `last` behind the last of them.
fn lines(out: &mut Stream, indent: &str, text: Packed, last: &str) {
    numbered(out, indent, text, None, last);
}

/// As `lines`; where the number of the round stands, writes it, or that it is that.
fn numbered(out: &mut Stream, indent: &str, text: Packed, number: Option<u32>, last: &str) {
    if text.is_empty() {
        return;
    }
    out.text("    ").text(indent);
    text.unpack(&mut |byte| match (byte, number) {
        (b'\n', _) => drop(out.text("\n    ").text(indent)),
        (NUMBER, Some(number)) => drop(out.number(number.into())),
        (NUMBER, None) => drop(out.text("\"#n\"")),
        _ => out.byte(byte),
    });
    out.text(last);
}

/// What a gate looks for before it says the PID, and how it says it.
fn pid_line(out: &mut Stream, gates: &[Gate<'_>; 2]) {
    for gate in gates {
        if let Mode::Fd(fd) = gate.mode {
            out.text(r#"    {"name": "fcntl", "nr": 72, "args": ["#)
                .number(fd.into());
            out.text(", 1, 0], \"ret\": 0},\n");
        }
    }
    if gates.iter().any(Gate::waits) {
        out.text(PID_LINE);
    }
}

const PID_LINE: &str = r#"    {"name": "getpid", "nr": 39, "args": [], "ret": "$gate_pid"},
    {"name": "rt_sigprocmask", "nr": 14, "args": [0, "&gate_set", 0, 8], "ret": 0},
    {"name": "write", "nr": 1, "args": [1, "&gate_line", "$gate_len"], "ret": "$gate_len"},
"#;

/// The calls of a gate that opens in time; `path` names the address of its path.
fn wait(out: &mut Stream, gate: &Gate<'_>, path: &str) {
    match gate.mode {
        Mode::None => {}
        Mode::Fd(fd) => input(out, fd, gate.deadline_ms),
        Mode::Sleep(ms) => nanosleep(out, "", "&gate_time", Timespec::from_ms(ms), ",\n"),
        Mode::File(_) => {
            let most = gate.deadline_ms / POLL_MS;
            out.text(r#"    {"repeat": {"min": 0, "max": "#)
                .number(most.into());
            out.text("}, \"why\": \"until the file is there\", \"calls\": [\n");
            faccessat(out, "  ", path, "-2", gate);
            nanosleep(out, "  ", "&gate_time", Timespec::from_ms(POLL_MS), "\n");
            out.text("    ]},\n");
            faccessat(out, "", path, "0", gate);
        }
    }
}

fn input(out: &mut Stream, fd: u32, deadline_ms: u32) {
    out.text(
        r#"    {"name": "ppoll", "nr": 271, "args": ["&gate_poll", 1, "&gate_time", 0, 0], "ret": 1, "in": "#,
    );
    out.text(r#"{"&gate_poll": {"fd": "#).number(fd.into());
    out.text(r#", "events": 1}, "&gate_time": "#);
    timespec(out, Timespec::from_ms(deadline_ms));
    out.text("}},\n");
    out.text(r#"    {"name": "read", "nr": 0, "args": ["#)
        .number(fd.into());
    out.text(r#", "&gate_byte", 1], "ret": [1, 0], "why": "a byte, or end-of-file"},"#);
    out.text("\n");
}

fn nanosleep(out: &mut Stream, indent: &str, name: &str, time: Timespec, end: &str) {
    out.text(indent)
        .text(r#"    {"name": "nanosleep", "nr": 35, "args": [""#);
    out.text(name).text("\", \"").text(name);
    out.text(r#""], "ret": 0, "in": {""#)
        .text(name)
        .text("\": ");
    timespec(out, time);
    out.text("}}").text(end);
}

fn timespec(out: &mut Stream, time: Timespec) {
    let Timespec { tv_sec, tv_nsec } = time;
    out.text(r#"{"tv_sec": "#).number(tv_sec as u64);
    out.text(r#", "tv_nsec": "#).number(tv_nsec as u64);
    out.text("}");
}

fn faccessat(out: &mut Stream, indent: &str, path: &str, ret: &str, gate: &Gate<'_>) {
    out.text(indent)
        .text(r#"    {"name": "faccessat", "nr": 269, "args": [4294967196, ""#);
    out.text(path).text("\", 0], \"ret\": ").text(ret);
    if let Some(text) = gate.plain_path() {
        out.text(", \"in\": {\"").text(path).text("\": \"");
        out.text(text).text("\"}");
    }
    out.text("},\n");
}
