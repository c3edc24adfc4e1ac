//! Arguments as strace and perf trace print them: numbers, names of constants, texts, lists,
//! structures.

use super::cursor::{Cursor, Parsed};
use crate::event::Value;

/// The arguments of a call up to its parenthesis, or up to where the line says that it goes on later.
pub fn arguments(cursor: &mut Cursor<'_>) -> Parsed<Vec<Value>> {
    let mut values = Vec::new();
    loop {
        cursor.blanks();
        if cursor.ends() || cursor.sees(")") || cursor.sees("<unfinished") {
            return Ok(values);
        }
        name(cursor);
        values.push(value(cursor)?);
        cursor.blanks();
        // What is there afterwards: the argument itself is what stands before.
        if cursor.eat("=> ") {
            value(cursor)?;
        }
        if !cursor.eat(",")
            && !cursor.ends()
            && !cursor.sees(")")
            && !cursor.sees(" <unfinished")
            && !cursor.sees("<unfinished")
        {
            return Err(cursor.wrong("\",\" or \")\""));
        }
    }
}

/// Skips `flags=` or `ctxp: `, where that stands before a value.
fn name(cursor: &mut Cursor<'_>) {
    let start = *cursor;
    let word = cursor.while_(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let named = word.starts_with(|c: char| c.is_ascii_lowercase());
    if !named || !(cursor.eat("=") || cursor.eat(": ")) {
        *cursor = start;
    }
}

/// A value, and a remark after it.
pub fn value(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let value = if cursor.sees("\"") {
        text(cursor)?
    } else if cursor.eat("[") {
        list(cursor)?
    } else if cursor.eat("~[") {
        // All signals but these.
        let start = *cursor;
        list(cursor)?;
        Value::Symbol(format!(
            "~[{}",
            &start.rest()[..start.rest().len() - cursor.rest().len()]
        ))
    } else if cursor.eat("{") {
        structure(cursor)?
    } else if cursor.eat("...") {
        Value::Unknown
    } else {
        simple(cursor)?
    };
    loop {
        let start = *cursor;
        cursor.blanks();
        if !cursor.eat("/* ") {
            *cursor = start;
            return Ok(value);
        }
        cursor.until("*/")?;
    }
}

/// `"ior-aio\n"`, and `...` after what is not all of it.
fn text(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    cursor.expect("\"")?;
    let mut bytes = Vec::new();
    while !cursor.eat("\"") {
        let Some(c) = cursor.rest().chars().next() else {
            return Err(cursor.wrong("the end of a text"));
        };
        cursor.skip(c.len_utf8());
        if c == '\\' {
            bytes.push(escaped(cursor)?);
        } else {
            bytes.extend(c.to_string().as_bytes());
        }
    }
    let whole = !cursor.eat("...");
    Ok(Value::Bytes(bytes, whole))
}

/// What follows a backslash, as in C.
fn escaped(cursor: &mut Cursor<'_>) -> Parsed<u8> {
    const NAMED: [(&str, u8); 10] = [
        ("a", 7),
        ("b", 8),
        ("t", b'\t'),
        ("n", b'\n'),
        ("v", 11),
        ("f", 12),
        ("r", b'\r'),
        ("\"", b'"'),
        ("\\", b'\\'),
        ("'", b'\''),
    ];
    if let Some((_, byte)) = NAMED.iter().find(|(name, _)| cursor.eat(name)) {
        return Ok(*byte);
    }
    let start = *cursor;
    let (most, radix) = if cursor.eat("x") { (2, 16) } else { (3, 8) };
    let digits: String = cursor
        .rest()
        .chars()
        .take(most)
        .take_while(|c| c.is_digit(radix))
        .collect();
    cursor.skip(digits.len());
    u8::from_str_radix(&digits, radix).map_err(|_| start.wrong("an escape sequence"))
}

/// `[…]`: separated by commas, or, as a set of signals, by blanks.
fn list(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let mut values = Vec::new();
    while !cursor.eat("]") {
        name(cursor);
        values.push(value(cursor)?);
        cursor.blanks();
        if cursor.eat("=> ") {
            value(cursor)?;
        }
        cursor.eat(",");
        cursor.blanks();
        if cursor.ends() {
            return Err(cursor.wrong("\"]\""));
        }
    }
    Ok(Value::List(values))
}

/// `{tv_sec=1, tv_nsec=0}`; fields without a name have none.
fn structure(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let mut fields = Vec::new();
    while !cursor.eat("}") {
        let start = *cursor;
        let word = cursor.while_(|c| c.is_ascii_alphanumeric() || "_[].".contains(c));
        let named = word.starts_with(|c: char| c.is_ascii_lowercase()) && cursor.eat("=");
        if !named {
            *cursor = start;
        }
        let value = value(cursor)?;
        let field = if named { word } else { "" };
        fields.push((field.to_owned(), value));
        cursor.eat(",");
        cursor.blanks();
        if cursor.ends() {
            return Err(cursor.wrong("\"}\""));
        }
    }
    Ok(Value::Struct(fields))
}

/// A number, or names of constants; what else there is is taken for such a name, which the verdict
/// says that it does not know.
fn simple(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let start = *cursor;
    let mut depth = 0;
    let text = cursor.while_(|c| {
        match c {
            '(' | '<' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return false,
            ')' | '>' if depth > 0 => depth -= 1,
            _ => {}
        }
        depth > 0 || !", ".contains(c)
    });
    if text.is_empty() {
        return Err(start.wrong("a value"));
    }
    // strace -y adds what a descriptor leads to.
    let (plain, _) = text
        .split_once('<')
        .filter(|_| text.ends_with('>'))
        .unwrap_or((text, ""));
    Ok(number(plain).map_or_else(|| Value::Symbol(plain.into()), Value::Number))
}

/// `15`, `-1`, `0x7f`, `0600`, which is octal.
pub fn number(text: &str) -> Option<i128> {
    let (minus, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |digits| (true, digits));
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let magnitude = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    let magnitude = i128::from(magnitude.ok().filter(|_| plain(digits))?);
    Some(if minus { -magnitude } else { magnitude })
}

/// What a call answers: `0x3`, `-1 EINVAL (Invalid argument)`, `? ERESTARTNOHAND (…)`, `-1 (errno 22)`.
pub fn answer(cursor: &mut Cursor<'_>) -> Parsed<crate::event::Ret> {
    use crate::event::Ret;
    let start = *cursor;
    let text = cursor.while_(|c| !" <(".contains(c));
    cursor.blanks();
    if text == "-1" && cursor.eat("(errno ") {
        return Ok(Ret::Number(-cursor.decimal::<i64>("an errno")?));
    }
    // perf trace has no name for the kernel's restart codes.
    if text == "-1" && cursor.eat("(unknown) (INTERNAL ERROR: strerror_r(") {
        return Ok(Ret::Number(-cursor.decimal::<i64>("an errno")?));
    }
    if text == "?" || text == "-1" {
        let name = cursor.while_(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(code) = restart(name).or_else(|| errno(name)) {
            return Ok(Ret::Number(-code));
        }
        if text == "?" && name.is_empty() {
            return Ok(Ret::Never);
        }
        if !name.is_empty() {
            return Err(start.wrong("an errno that is known"));
        }
    }
    let number = number(text).ok_or_else(|| start.wrong("a result"))?;
    Ok(Ret::Number(number as i64))
}

/// `EINVAL`
pub fn errno(name: &str) -> Option<i64> {
    use nix::errno::Errno;
    let is_it = |number: &i32| format!("{:?}", Errno::from_raw(*number)) == name;
    (1..200).find(is_it).map(i64::from)
}

/// The codes that the kernel keeps to itself (`include/linux/errno.h`): with them a call is restarted,
/// or EINTR is what the program gets.
pub fn restart(name: &str) -> Option<i64> {
    match name {
        "ERESTARTSYS" => Some(512),
        "ERESTARTNOINTR" => Some(513),
        "ERESTARTNOHAND" => Some(514),
        "ERESTART_RESTARTBLOCK" => Some(516),
        _ => None,
    }
}
