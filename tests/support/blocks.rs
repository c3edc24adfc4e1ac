//! Every `unsafe` of the source, and its reason: found in the tokens, so that none hides in a macro.

use anyhow::{Context, Result, anyhow, ensure};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fmt;
use std::fs;
use std::path::Path;

/// An `unsafe` block, function or list of foreign items.
#[derive(Debug)]
pub struct Block {
    /// Below the source tree.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// `block`, `fn`, `extern`.
    pub kind: String,
    /// What the comment says, in one line; empty if there is none.
    pub reason: String,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            kind,
            reason,
        } = self;
        let reason = match kind.as_str() {
            "extern" => "C's contract",
            _ => reason,
        };
        write!(f, "{file}:{line}: {kind}: {reason}")
    }
}

/// Those of src/, in order.
///
/// # Errors
/// A file can't be read, or is not Rust.
pub fn all() -> Result<Vec<Block>> {
    let mut files = Vec::new();
    find(&crate::root().join("src"), &mut files)?;
    files.sort();
    let mut blocks = Vec::new();
    for path in files {
        let file = path.strip_prefix(&crate::root().to_string_lossy().into_owned());
        let file = file.unwrap_or(&path).trim_start_matches('/').to_owned();
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        blocks.extend(of(&file, &text)?);
    }
    Ok(blocks)
}

fn find(directory: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in directory.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// Those of one text.
///
/// # Errors
/// It is not Rust.
pub fn of(file: &str, text: &str) -> Result<Vec<Block>> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow!("{file}: {error}"))?;
    let lines: Vec<_> = text.lines().collect();
    let mut places = Vec::new();
    walk(tokens, &mut places);
    let block = |(line, kind): (usize, String)| {
        ensure!(line > 0, "no place for an unsafe in {file}");
        let reason = reason(&lines[..line - 1]);
        Ok(Block {
            file: file.into(),
            line,
            kind,
            reason,
        })
    };
    places.into_iter().map(block).collect()
}

/// Attributes, which say `unsafe(no_mangle)`, are none.
fn walk(tokens: TokenStream, places: &mut Vec<(usize, String)>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (&token, tokens.peek()) {
            (TokenTree::Group(group), _) => walk(group.stream(), places),
            (TokenTree::Ident(word), Some(next)) if word == "unsafe" => {
                let kind = match next {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => "block",
                    TokenTree::Ident(kind) => &kind.to_string(),
                    _ => continue,
                };
                places.push((word.span().start().line, kind.into()));
            }
            _ => {}
        }
    }
}

/// What the comment above says: behind `SAFETY:` or, of a function, in its section `# Safety`. A
/// comment can stand above the statement that the block is a part of; attributes are looked past.
fn reason(above: &[&str]) -> String {
    let mut lines = above.iter().rev().map(|line| line.trim()).peekable();
    let statement = |line: &&str| {
        let ended = [";", "}", "{"].iter().any(|end| line.ends_with(end));
        !line.starts_with("//") && !line.is_empty() && (!ended || line.starts_with("#["))
    };
    while lines.next_if(statement).is_some() {}
    let mut comment: Vec<_> = lines.take_while(|line| line.starts_with("//")).collect();
    comment.reverse();
    let text = comment
        .iter()
        .map(|line| line.trim_start_matches('/').trim());
    let text = text.collect::<Vec<_>>().join(" ");
    let parts = ["SAFETY:", "# Safety"]
        .iter()
        .find_map(|mark| text.split_once(mark));
    parts.map_or(String::new(), |(_, reason)| reason.trim().into())
}
