//! The code without running it: what can be reached, where its instructions begin, and every byte pair
//! that could enter the kernel.

use super::memory::BASE;
use super::state::decode;
use anyhow::{Context, Result, ensure};
use capstone::prelude::{BuildsCapstone, Capstone, arch};
use iced_x86::{FlowControl, Instruction, Mnemonic};
use std::collections::BTreeMap;

/// Instructions by their addresses.
pub type Code = BTreeMap<u64, Instruction>;

/// The address of the first instruction, from the file's header: one segment, which is the whole file.
///
/// # Errors
/// It is not such a file.
pub fn entry(file: &[u8]) -> Result<u64> {
    let word = |at: usize| {
        file.get(at..at + 8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight")))
    };
    let half = |at: usize| word(at).map(|word| word as u16);
    ensure!(
        file.starts_with(b"\x7fELF\x02\x01\x01"),
        "no ELF file of 64 bits"
    );
    ensure!(
        (half(16), half(18)) == (Some(2), Some(62)),
        "not a static x86_64 program"
    );
    ensure!(
        (word(32), half(54), half(56)) == (Some(64), Some(56), Some(2)),
        "not two program headers at 64"
    );
    let segment = [64, 72, 80, 96, 104].map(word);
    let len = Some(file.len() as u64);
    let want = [Some(1 | 5 << 32), Some(0), Some(BASE), len, len];
    ensure!(
        segment == want,
        "the file is not one segment, read and execute, at {BASE:#x}"
    );
    ensure!(
        word(120) == Some(0x6474_e551 | 6 << 32),
        "another segment than the stack's"
    );
    word(24).context("no entry point")
}

/// All that can be reached from these addresses, by every way of each branch.
///
/// # Errors
/// A jump or call whose target is not in it, or instructions that overlap.
pub fn reach(file: &[u8], roots: impl IntoIterator<Item = u64>) -> Result<Code> {
    let (mut code, mut open) = (Code::new(), roots.into_iter().collect::<Vec<_>>());
    while let Some(at) = open.pop() {
        if code.contains_key(&at) {
            continue;
        }
        ensure!(
            (BASE..BASE + file.len() as u64).contains(&at),
            "runs to {at:#x}, outside of the file"
        );
        let insn = decode(file, at);
        open.extend(next(&insn)?);
        code.insert(at, insn);
    }
    let pairs = code.values().zip(code.values().skip(1));
    for (one, two) in pairs {
        ensure!(
            one.next_ip() <= two.ip(),
            "{:#x} begins inside of {:#x}",
            two.ip(),
            one.ip()
        );
    }
    Ok(code)
}

/// Where an instruction can lead.
fn next(insn: &Instruction) -> Result<Vec<u64>> {
    use FlowControl::{Call, ConditionalBranch, Exception, Next, Return, UnconditionalBranch};
    let here = || format!("{insn} at {:#x}", insn.ip());
    ensure!(!insn.is_invalid(), "no instruction at {:#x}", insn.ip());
    Ok(match insn.flow_control() {
        Next => vec![insn.next_ip()],
        UnconditionalBranch => vec![insn.near_branch_target()],
        ConditionalBranch => vec![insn.near_branch_target(), insn.next_ip()],
        Call if insn.mnemonic() == Mnemonic::Syscall => vec![insn.next_ip()],
        Call if insn.is_call_near() => vec![insn.near_branch_target(), insn.next_ip()],
        Return if insn.mnemonic() == Mnemonic::Ret => Vec::new(),
        Exception if insn.mnemonic() == Mnemonic::Ud2 => Vec::new(),
        _ => anyhow::bail!("leads nobody knows where: {}", here()),
    })
}

/// The second decoder finds the same boundaries.
///
/// # Errors
/// Where they differ.
pub fn agree(file: &[u8], code: &Code) -> Result<()> {
    let other = Capstone::new()
        .x86()
        .mode(arch::x86::ArchMode::Mode64)
        .build()
        .map_err(anyhow::Error::msg)?;
    for (at, insn) in code {
        let bytes = &file[(at - BASE) as usize..];
        let found = other
            .disasm_count(bytes, *at, 1)
            .map_err(anyhow::Error::msg)?;
        let len = found.first().map_or(0, |found| found.len());
        ensure!(
            len == insn.len(),
            "the decoders differ at {at:#x}: {} and {len} bytes",
            insn.len()
        );
    }
    Ok(())
}

/// A byte pair that could enter the kernel, by where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pair {
    /// An instruction that can be reached.
    Site,
    /// Inside of another instruction.
    Inside,
    /// Where no instruction can be reached.
    Data,
}

/// Every such pair: syscall, sysenter, int 0x80; of far calls there is none in the code reached, and
/// in 64 bits they change no privilege without a gate, of which Linux has none.
#[must_use]
pub fn pairs(file: &[u8], code: &Code) -> Vec<(u64, Pair)> {
    let enters = |pair: &[u8]| matches!(pair, [0x0f, 0x05 | 0x34] | [0xcd, 0x80]);
    let places = file.windows(2).enumerate().filter(|(_, pair)| enters(pair));
    places
        .map(|(at, _)| BASE + at as u64)
        .map(|at| (at, pair(code, at)))
        .collect()
}

fn pair(code: &Code, at: u64) -> Pair {
    let before = code.range(..=at).next_back();
    match before {
        // A prefix may stand before it.
        Some((_, insn)) if insn.mnemonic() == Mnemonic::Syscall && insn.next_ip() == at + 2 => {
            Pair::Site
        }
        Some((_, insn)) if insn.next_ip() > at => Pair::Inside,
        _ if code.contains_key(&(at + 1)) => Pair::Inside,
        _ => Pair::Data,
    }
}
