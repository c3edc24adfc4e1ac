//! JSON lines: a call per line, an object or the list `[nr, argument, …, result]`, or another event.

use super::Parser;
use super::cursor::{Parsed, Wrong};
use crate::event::{Call, End, Ret, Value, What};
use crate::trace::Memory;
use serde::Deserialize;
use serde_json::Value as Json_;
use std::collections::BTreeMap;

pub struct Json;

impl Parser for Json {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        event(line).map(|event| vec![event])
    }
}

/// Whether a text starts as `[206, …` does.
pub fn is_list(text: &str) -> bool {
    let first = text.trim_start_matches(['[', ' ']).chars().next();
    first.is_some_and(|c| c.is_ascii_digit() || c == '"')
        && !text.starts_with("[pid ")
        && text.ends_with(']')
}

/// An object of this format, by the keys of events.schema.json.
// `null` is a value of some keys, and no key is no value.
#[allow(clippy::option_option)]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, deserialize_with = "given")]
    pid: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    tid: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    nr: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    args: Option<Vec<Json_>>,
    #[serde(default, deserialize_with = "given")]
    ret: Option<Json_>,
    #[serde(default, deserialize_with = "given")]
    ns: Option<u64>,
    #[serde(default)]
    before: BTreeMap<String, String>,
    #[serde(default)]
    after: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "given")]
    fork: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    exec: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    signal: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    exit: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    killed: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    lost: Option<Option<u64>>,
}

/// A key that is there; `null` is not the same as no key.
fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

/// The event of a line.
pub fn event(line: &str) -> Parsed<(i64, What)> {
    let value: Json_ = serde_json::from_str(line).map_err(|error| Wrong {
        at: error.column().saturating_sub(1),
        wanted: format!("JSON ({error})"),
    })?;
    let wrong = |wanted: String| Wrong { at: 0, wanted };
    match value {
        Json_::Array(list) => list_of(&list)
            .map(|call| (0, What::Whole(call)))
            .map_err(wrong),
        object => {
            let line: Line = serde_json::from_value(object)
                .map_err(|error| wrong(format!("an event ({error})")))?;
            let tid = line.tid.or(line.pid).unwrap_or(0);
            what(line).map(|what| (tid, what)).map_err(wrong)
        }
    }
}

/// `[206, 32, 140729412104, 0]`
fn list_of(list: &[Json_]) -> Result<Call, String> {
    let [first, args @ .., last] = list else {
        return Err("a number, arguments and a result".into());
    };
    Ok(Call {
        nr: Some(first.as_u64().ok_or("the number of a call")?),
        args: Some(args.iter().map(value).collect::<Result<_, _>>()?),
        ret: Some(ret(last)?),
        ..Call::default()
    })
}

fn what(line: Line) -> Result<What, String> {
    let other = [
        line.fork.map(What::Fork),
        line.exec.map(What::Exec),
        line.signal.map(signal).transpose()?.map(What::Signal),
        line.exit
            .map(|code| What::End(End::Code((code & 0xff) as u8))),
        line.killed
            .map(signal)
            .transpose()?
            .map(|signal| What::End(End::Signal(signal))),
        line.lost.map(What::Lost),
    ];
    let call = line.nr.is_some() || line.name.is_some();
    let mut other: Vec<_> = other.into_iter().flatten().collect();
    match (call, other.len()) {
        (false, 1) => return Ok(other.remove(0)),
        (true, 0) => {}
        _ => return Err("one of nr, name, fork, exec, signal, exit, killed, lost".into()),
    }
    let args = line.args.map(|args| args.iter().map(value).collect());
    Ok(What::Whole(Call {
        nr: line.nr,
        name: line.name,
        args: args.transpose()?,
        ret: line.ret.as_ref().map(ret).transpose()?,
        before: memory(&line.before)?,
        after: memory(&line.after)?,
        ns: line.ns,
    }))
}

fn signal(number: u32) -> Result<u32, String> {
    let known = (1..=64).contains(&number);
    known
        .then_some(number)
        .ok_or(format!("a signal, not {number}"))
}

fn ret(value: &Json_) -> Result<Ret, String> {
    if value.is_null() {
        return Ok(Ret::Never);
    }
    let number = number(value).ok_or(format!("a result, not {value}"))?;
    Ok(Ret::Number(number as i64))
}

/// A number, `"0x…"`, the name of a constant, a list, a structure; `null` is not shown.
fn value(json: &Json_) -> Result<Value, String> {
    match json {
        Json_::Null => Ok(Value::Unknown),
        Json_::Array(list) => list
            .iter()
            .map(value)
            .collect::<Result<_, _>>()
            .map(Value::List),
        Json_::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, json)| Ok((name.clone(), value(json)?)));
            fields.collect::<Result<_, String>>().map(Value::Struct)
        }
        Json_::String(text) if !text.starts_with("0x") => Ok(Value::Symbol(text.clone())),
        _ => number(json)
            .map(Value::Number)
            .ok_or(format!("an argument, not {json}")),
    }
}

fn number(json: &Json_) -> Option<i128> {
    if let Some(hex) = json.as_str().and_then(|text| text.strip_prefix("0x")) {
        // It would take a sign, too.
        let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(hex, 16).ok();
        return number.filter(|_| digits).map(i128::from);
    }
    let signed = json.as_i64().map(i128::from);
    signed.or(json.as_u64().map(i128::from))
}

/// `{"0x7ffd64287668": "00ff"}`
fn memory(pairs: &BTreeMap<String, String>) -> Result<Memory, String> {
    let pair = |(address, hex): (&String, &String)| {
        let address = number(&Json_::String(address.clone()));
        let address = address.ok_or(format!("an address \"0x…\", not {address:?}"))?;
        Ok((address as u64, bytes(hex).ok_or("bytes in hexadecimal")?))
    };
    pairs.iter().map(pair).collect()
}

/// `00ff`
pub fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let [high, low] = *pair else { return None };
        Some((digit(high)? * 16 + digit(low)?) as u8)
    };
    pairs.map(byte).collect()
}
