//! `--expect`: the calls of a run, as JSON. The scenario's own are the text of its expected trace, cut
//! into pieces; around them stand those of the gates and the pauses.

use crate::gate::{Gate, Mode, POLL_MS};
use crate::output::Output;
use crate::story::Scenario;
use crate::sys::Timespec;

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

/// What `--list --long` says of a scenario: the sentence in its trace, which has no escapes.
#[must_use]
pub fn about(scenario: &Scenario) -> &str {
    let about = scenario.expected.split_once("\"about\": \"");
    let about = about.and_then(|(_, rest)| rest.split_once('"'));
    about.map_or("", |(about, _)| about)
}

/// An expected trace in pieces. `head`, `front`, `back`, `tail` and `end` are whole lines; `round` and
/// `children` lack the end of their last line, a comma or none.
#[derive(Default)]
struct Pieces<'a> {
    /// From the first byte to the start of the first call.
    head: &'a str,
    /// The lines before the rounds, if the scenario counts these itself.
    front: &'a str,
    /// The lines of a round: all calls, if the scenario does not count its rounds itself.
    round: &'a str,
    /// The lines after the rounds.
    back: &'a str,
    /// From the last call to the first child's, or to the last byte.
    tail: &'a str,
    /// The lines of a round's children, if there are any.
    children: &'a str,
    /// From the end of the last child to the last byte.
    end: &'a str,
}

/// The number of the round, where a scenario that counts its rounds itself passes it on.
const NUMBER: &str = "\"#n\"";

impl<'a> Pieces<'a> {
    /// Cuts a trace, which has a line for each call, and exit_group last; no trace has no pieces.
    fn of(text: &'a str) -> Self {
        Self::cut(text).unwrap_or_default()
    }

    fn cut(text: &'a str) -> Option<Self> {
        let (head, rest) = after(text, "  \"calls\": [\n")?;
        let (calls, rest) = before(rest, "    {\"name\": \"exit_group\"")?;
        let (tail, rest) = after(rest, "  \"children\": [\n").unwrap_or((rest, ""));
        let (children, end) = before(rest, "\n  ]\n}\n").unwrap_or_default();
        let (front, round, back) = if calls.contains(NUMBER) {
            let (front, repeat) = before(calls, "    {\"repeat\": ")?;
            let (round, back) = after(repeat, "\n    ]},\n")?;
            let (_, round) = round.strip_suffix("\n    ]},\n")?.split_once('\n')?;
            (front, round, back)
        } else {
            ("", calls.strip_suffix(",\n").unwrap_or(calls), "")
        };
        Some(Self {
            head,
            front,
            round,
            back,
            tail,
            children,
            end,
        })
    }
}

/// Cuts a text in front of a part.
fn before<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    text.split_at_checked(text.find(part)?)
}

/// Cuts a text after a part.
fn after<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    text.split_at_checked(text.find(part)? + part.len())
}

/// Writes the calls of a run.
pub fn write(out: &mut Output, run: &Run<'_>) {
    let trace = Pieces::of(run.scenario.expected);
    let [hold, linger] = &run.gates;
    out.text(trace.head);
    pid_line(out, &run.gates);
    wait(out, hold, "&gate_hold");
    out.text(trace.front);
    rounds(out, run, trace.round);
    out.text(trace.back);
    wait(out, linger, "&gate_linger");
    out.text(trace.tail);
    if !trace.children.is_empty() {
        children(out, run.count, trace.children);
    }
    out.text(trace.end);
}

fn children(out: &mut Output, count: u32, children: &str) {
    if count == 1 {
        out.text(children);
    } else {
        out.text("    {\"repeat\": ").number(count.into());
        out.text(", \"children\": [\n");
        lines(out, "  ", children);
        out.text("\n    ]}");
    }
}

/// The rounds; the number that a round passes on is its own, so the last, which has no pause after
/// it, says which it is.
fn rounds(out: &mut Output, run: &Run<'_>, round: &str) {
    let counted = run.scenario.rounds.is_some();
    let indent = if counted { "" } else { "  " };
    if round.is_empty() {
        return;
    }
    if run.count == 1 && !counted {
        out.text(round).text(",\n");
        return;
    }
    if run.pause_us == 0 || run.count == 1 {
        return repeat(out, run.count, |out| lines(out, indent, round));
    }
    repeat(out, run.count - 1, |out| {
        lines(out, indent, round);
        let pause = Timespec::from_us(run.pause_us.into());
        nanosleep(out.text(",\n"), "  ", "&gate_pause", pause, "");
    });
    repeat(out, 1, |out| numbered(out, indent, round, run.count));
}

fn repeat(out: &mut Output, count: u32, calls: impl FnOnce(&mut Output)) {
    out.text("    {\"repeat\": ").number(count.into());
    out.text(", \"calls\": [\n");
    calls(out);
    out.text("\n    ]},\n");
}

/// Writes lines, each after `indent`.
fn lines(out: &mut Output, indent: &str, lines: &str) {
    for line in lines.split_inclusive('\n') {
        out.text(indent).text(line);
    }
}

/// As `lines`, with `number` as the number of the round; a text that passes it on has no indent.
fn numbered(out: &mut Output, indent: &str, text: &str, number: u32) {
    let mut parts = text.split(NUMBER);
    lines(out, indent, parts.next().unwrap_or_default());
    for part in parts {
        out.number(number.into()).text(part);
    }
}

/// What a gate looks for before it says the PID, and how it says it.
fn pid_line(out: &mut Output, gates: &[Gate<'_>; 2]) {
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
fn wait(out: &mut Output, gate: &Gate<'_>, path: &str) {
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

fn input(out: &mut Output, fd: u32, deadline_ms: u32) {
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

fn nanosleep(out: &mut Output, indent: &str, name: &str, time: Timespec, end: &str) {
    out.text(indent)
        .text(r#"    {"name": "nanosleep", "nr": 35, "args": [""#);
    out.text(name).text("\", \"").text(name);
    out.text(r#""], "ret": 0, "in": {""#)
        .text(name)
        .text("\": ");
    timespec(out, time);
    out.text("}}").text(end);
}

fn timespec(out: &mut Output, time: Timespec) {
    let Timespec { tv_sec, tv_nsec } = time;
    out.text(r#"{"tv_sec": "#).number(tv_sec as u64);
    out.text(r#", "tv_nsec": "#).number(tv_nsec as u64);
    out.text("}");
}

fn faccessat(out: &mut Output, indent: &str, path: &str, ret: &str, gate: &Gate<'_>) {
    out.text(indent)
        .text(r#"    {"name": "faccessat", "nr": 269, "args": [4294967196, ""#);
    out.text(path).text("\", 0], \"ret\": ").text(ret);
    if let Some(text) = gate.plain_path() {
        out.text(", \"in\": {\"").text(path).text("\": \"");
        out.text(text).text("\"}");
    }
    out.text("},\n");
}
