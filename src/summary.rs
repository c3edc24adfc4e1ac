//! What `--list --long` and `--list --json` say of a scenario, for src/build.rs: read off its
//! expected trace, a line for each call.

use crate::errno::Errno;

/// Of a call, or of completions: its errors, in the order in which they come.
type Shows = Vec<(String, Vec<String>)>;

/// A scenario.
pub struct Summary {
    name: String,
    about: String,
    /// Least and most.
    calls: (u64, u64),
    shows: Shows,
    completions: Vec<String>,
}

impl Summary {
    /// Of an expected trace; `None` if it has not the form of one.
    pub fn of(text: &str) -> Option<Self> {
        let mut summary = Self {
            name: text_of(text, "\"scenario\": ")?,
            about: text_of(text, "\"about\": ")?,
            calls: (0, 0),
            shows: Shows::new(),
            completions: Vec::new(),
        };
        let (own, _) = text.split_once("\"children\"").unwrap_or((text, ""));
        summary.calls = count(own)?;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("{\"name\": ") {
                summary.call(line)?;
            }
        }
        Some(summary)
    }

    fn call(&mut self, line: &str) -> Option<()> {
        let name = text_of(line, "\"name\": ")?;
        let place = self.shows.iter().position(|(known, _)| *known == name);
        let place = place.unwrap_or_else(|| {
            self.shows.push((name, Vec::new()));
            self.shows.len() - 1
        });
        add(&mut self.shows[place].1, line, "\"ret\": ");
        add(&mut self.completions, line, "\"res\": ");
        Some(())
    }

    /// Three lines for a reader.
    pub fn long(&self) -> String {
        let (least, most) = self.calls;
        let more = if most > least { " or more" } else { "" };
        let call = |(name, errors): &(String, Vec<String>)| match errors.as_slice() {
            [] => name.clone(),
            errors => format!("{name} ({})", errors.join(" ")),
        };
        let calls: Vec<_> = self.shows.iter().map(call).collect();
        let completions = match self.completions.as_slice() {
            [] => String::new(),
            errors => format!("; completions ({})", errors.join(" ")),
        };
        format!(
            "{}: {least}{more} calls\n    {}\n    {}{completions}\n",
            self.name,
            self.about,
            calls.join(", ")
        )
    }

    /// A line for a program.
    pub fn json(&self) -> String {
        let (least, most) = self.calls;
        let calls = if most > least {
            format!("{{\"min\": {least}, \"max\": {most}}}")
        } else {
            least.to_string()
        };
        let call = |(name, errors): &(String, Vec<String>)| format!("{name:?}: {errors:?}");
        let shows: Vec<_> = self.shows.iter().map(call).collect();
        format!(
            "  {{\"scenario\": {:?}, \"about\": {:?}, \"calls\": {calls}, \"shows\": {{{}}}, \
             \"completions\": {:?}}}",
            self.name,
            self.about,
            shows.join(", "),
            self.completions
        )
    }
}

/// The text behind `key`; no text of ours has an escape in it.
fn text_of(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(key)?;
    let (value, _) = rest.strip_prefix('"')?.split_once('"')?;
    Some(value.into())
}

/// Adds the errors that stand behind each `key`, as a number or in a list.
fn add(errors: &mut Vec<String>, line: &str, key: &str) {
    for value in line.split(key).skip(1) {
        let list = value
            .strip_prefix('[')
            .and_then(|list| list.split(']').next());
        let numbers = list.unwrap_or_else(|| value.split([',', '}', ']']).next().unwrap_or(""));
        for number in numbers
            .split(", ")
            .filter_map(|number| number.parse::<i64>().ok())
        {
            let Err(errno) = Errno::check(number as usize) else {
                continue;
            };
            let mut name = String::new();
            errno.name(&mut |byte| name.push(byte.into()));
            if !errors.contains(&name) {
                errors.push(name);
            }
        }
    }
}

/// How many calls the lines make, at least and at most.
fn count(text: &str) -> Option<(u64, u64)> {
    let mut levels = vec![((1, 1), (0, 0))];
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("{\"name\": ") {
            let (_, sum) = levels.last_mut()?;
            *sum = (sum.0 + 1, sum.1 + 1);
        } else if let Some(rest) = line.strip_prefix("{\"repeat\": ") {
            levels.push((rounds(rest)?, (0, 0)));
        } else if line.starts_with("]}") && levels.len() > 1 {
            let (rounds, round) = levels.pop()?;
            let (_, sum) = levels.last_mut()?;
            *sum = (sum.0 + rounds.0 * round.0, sum.1 + rounds.1 * round.1);
        }
    }
    levels.pop().map(|(_, sum)| sum)
}

/// `100000, …` or `{"min": 1, "max": 65536}, …`.
fn rounds(text: &str) -> Option<(u64, u64)> {
    let number = |text: &str| text.split([',', '}']).next()?.parse().ok();
    match text.split_once("\"min\": ") {
        Some((_, least)) => Some((number(least)?, number(least.split_once("\"max\": ")?.1)?)),
        None => number(text).map(|count| (count, count)),
    }
}
