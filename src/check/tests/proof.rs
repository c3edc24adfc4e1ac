//! The proofs of the finished fixtures, and their control: files with one change, each of which must be
//! rejected, or be the same program.
//!
//! `PROOF_MUTANTS=all` is every change of every fixture, for an optimised build; otherwise every change of
//! some.

use iced_x86::{ConditionCode, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind};
use ioworkload_check::{expected, proof};
use std::collections::BTreeMap;
use std::path::PathBuf;

const BASE: u64 = 0x40_0000;

fn fixture(name: &str) -> Vec<u8> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(target).join("fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error} (make all)", path.display()))
}

#[test]
fn certificates_hold_and_others_do_not() {
    let (one, two) = (fixture("aio-setup"), fixture("aio-setup-einval"));
    let proof = proof::prove("aio-setup", &one).unwrap();
    assert_eq!(proof.not_shown, [""; 0]);
    proof::verify(&one, &proof).unwrap();
    assert!(proof::verify(&two, &proof).is_err());
    let mut other = proof.clone();
    other.sites[0].numbers = vec![3];
    assert!(proof::verify(&one, &other).is_err());
}

/// One change of a file.
struct Mutant {
    kind: &'static str,
    at: u64,
    what: String,
    file: Vec<u8>,
    /// Which paths come to what is changed.
    visited: proof::Visit,
}

fn instruction(file: &[u8], at: u64) -> Instruction {
    Decoder::with_ip(64, &file[(at - BASE) as usize..], at, DecoderOptions::NONE).decode()
}

/// Every change: a constant, a condition, an instruction replaced by a syscall.
fn mutants(name: &str, file: &[u8]) -> Vec<Mutant> {
    let mut all = Vec::new();
    let reached = proof::reached(name, file).unwrap();
    for (n, (at, visited)) in reached.iter().enumerate() {
        let insn = instruction(file, *at);
        let next = reached.get(n + 1).map(|(at, _)| instruction(file, *at));
        for (kind, bytes) in changes(file, &insn, next.as_ref()) {
            let mut file = file.to_vec();
            let place = (at - BASE) as usize;
            file[place..place + bytes.len()].copy_from_slice(&bytes);
            let what = format!("{insn} -> {}", instruction(&file, *at));
            all.push(Mutant {
                kind,
                at: *at,
                what,
                file,
                visited: *visited,
            });
        }
    }
    all
}

fn changes(
    file: &[u8],
    insn: &Instruction,
    next: Option<&Instruction>,
) -> Vec<(&'static str, Vec<u8>)> {
    let place = (insn.ip() - BASE) as usize;
    let bytes = &file[place..place + insn.len()];
    let mut all = Vec::new();
    if insn.is_jcc_short_or_near() {
        let mut inverted = bytes.to_vec();
        inverted[usize::from(bytes[0] == 0x0f)] ^= 1;
        all.push(("condition", inverted));
    }
    if let Some((kind, offset)) = constant(insn, next) {
        let mut other = bytes.to_vec();
        other[offset] ^= 1;
        all.push((kind, other));
    }
    if insn.len() >= 2 && insn.mnemonic() != Mnemonic::Syscall {
        let mut syscall = vec![0x90; insn.len()];
        syscall[..2].copy_from_slice(&[0x0f, 0x05]);
        all.push(("syscall", syscall));
    }
    all
}

/// Where an instruction's constant stands, and whether it goes to rax, where numbers are.
fn constant(insn: &Instruction, next: Option<&Instruction>) -> Option<(&'static str, usize)> {
    let immediate = (0..insn.op_count()).any(|n| {
        !matches!(
            insn.op_kind(n),
            OpKind::Register | OpKind::Memory | OpKind::NearBranch64
        )
    });
    if !immediate || insn.condition_code() != ConditionCode::None {
        return None;
    }
    let size = match insn.op_kind(insn.op_count() - 1) {
        OpKind::Immediate8
        | OpKind::Immediate8to16
        | OpKind::Immediate8to32
        | OpKind::Immediate8to64 => 1,
        OpKind::Immediate16 => 2,
        OpKind::Immediate64 => 8,
        _ => 4,
    };
    let popped = insn.mnemonic() == Mnemonic::Push
        && next.is_some_and(|next| next.mnemonic() == Mnemonic::Pop);
    let to = if popped {
        next.map(Instruction::op0_register)
    } else {
        Some(insn.op0_register())
    };
    let rax = to.is_some_and(|to| to.full_register() == iced_x86::Register::RAX);
    let moved = popped || insn.mnemonic() == Mnemonic::Mov;
    let kind = match (moved, rax) {
        (true, true) => "constant to rax",
        (true, false) => "constant moved",
        _ => "constant compared or counted",
    };
    Some((kind, insn.len() - size))
}

/// What became of the mutants of a kind.
#[derive(Default)]
struct Count {
    all: usize,
    rejected: usize,
    /// No path comes to the change: the same program.
    dead: usize,
    /// The change is seen after a wrong answer only, and what was proved holds all the same: it is in the
    /// text of the line, or makes of one of the exit codes 1 and 77 the other.
    text: usize,
}

/// Mutants that make the same calls. At the end of aio-setup-einval edi is the word of the context that
/// was never made, 0 already, so exit_group can come one instruction sooner.
const EQUAL: [&str; 1] = ["aio-setup-einval syscall: xor edi,edi -> syscall"];

#[test]
fn mutants_are_rejected() {
    let all = std::env::var("PROOF_MUTANTS").unwrap_or_default();
    let names: Vec<_> = match all.as_str() {
        "" => vec!["aio-setup-einval"],
        "all" => expected::ALL.iter().map(|(name, _)| *name).collect(),
        some => some.split(',').collect(),
    };
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut accepted = Vec::new();
    for name in names {
        for mutant in mutants(name, &fixture(name)) {
            let count = counts.entry(mutant.kind).or_default();
            count.all += 1;
            match (proof::flaw(name, &mutant.file), mutant.visited) {
                (Err(_) | Ok(Some(_)), _) => count.rejected += 1,
                (_, proof::Visit::Never) => count.dead += 1,
                (_, proof::Visit::Failed) => {
                    count.text += 1;
                    println!("{name} {:#x} {}: {}", mutant.at, mutant.kind, mutant.what);
                }
                _ => accepted.push(format!("{name} {}: {}", mutant.kind, mutant.what)),
            }
        }
    }
    for (kind, count) in &counts {
        println!(
            "{kind:28} {:5} mutants, {:5} rejected, {:4} where no path comes, {:4} in the line's text",
            count.all, count.rejected, count.dead, count.text
        );
    }
    accepted.retain(|mutant| !EQUAL.contains(&mutant.as_str()));
    assert_eq!(accepted, [""; 0], "the same calls, and nobody has said why");
}
