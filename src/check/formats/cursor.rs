//! A place in a line, and what is expected there.

use nix::sys::signal::Signal;

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// In which column, from 0.
    pub at: usize,
    /// What should be there.
    pub wanted: String,
}

pub type Parsed<T> = Result<T, Wrong>;

/// The rest of a line.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    pub fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub fn ends(&self) -> bool {
        self.rest().is_empty()
    }

    pub fn sees(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Takes a text, if it is there.
    pub fn eat(&mut self, text: &str) -> bool {
        let there = self.sees(text);
        if there {
            self.at += text.len();
        }
        there
    }

    /// Takes a text that has to be there.
    pub fn expect(&mut self, text: &str) -> Parsed<()> {
        let there = self.eat(text);
        there
            .then_some(())
            .ok_or_else(|| self.wrong(&format!("{text:?}")))
    }

    /// Takes what has to be between here and a text, and the text.
    pub fn until(&mut self, text: &str) -> Parsed<&'a str> {
        let Some(len) = self.rest().find(text) else {
            return Err(self.wrong(&format!("{text:?}")));
        };
        let before = &self.rest()[..len];
        self.at += len + text.len();
        Ok(before)
    }

    /// Takes what consists of such characters, maybe nothing.
    pub fn while_(&mut self, mut is: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    pub fn blanks(&mut self) {
        self.while_(|c| c == ' ');
    }

    /// A name: letters, digits, `_`.
    pub fn word(&mut self, wanted: &str) -> Parsed<&'a str> {
        let start = *self;
        let word = self.while_(|c| c.is_ascii_alphanumeric() || c == '_');
        if word.is_empty() {
            *self = start;
            return Err(self.wrong(wanted));
        }
        Ok(word)
    }

    /// Digits, as a number.
    pub fn decimal<T: std::str::FromStr>(&mut self, wanted: &str) -> Parsed<T> {
        let start = *self;
        let minus = self.eat("-");
        let digits = self.while_(|c| c.is_ascii_digit());
        let text = &start.rest()[..digits.len() + usize::from(minus)];
        text.parse().map_err(|_| start.wrong(wanted))
    }

    /// A signal's name, with or without SIG, as a number.
    pub fn signal(&mut self) -> Parsed<u32> {
        let start = *self;
        let name = self.while_(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(number) = name
            .strip_prefix("SIGRT_")
            .and_then(|n| n.parse::<u32>().ok())
        {
            return Ok(32 + number);
        }
        let signal = name.parse::<Signal>().map(|signal| signal as u32);
        signal.map_err(|_| start.wrong("a signal"))
    }

    pub fn wrong(&self, wanted: &str) -> Wrong {
        Wrong {
            at: self.line[..self.at].chars().count(),
            wanted: wanted.into(),
        }
    }
}
