//! What an instruction does to a path. What is not here stops the path, and is reported.

use super::flags::{Decision, Flags};
use super::set::mask;
use super::state::{State, World};
use super::value::{Op, Val};
use anyhow::{Context, Result, bail, ensure};
use iced_x86::{ConditionCode, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// What comes after an instruction.
pub enum Next {
    /// The next one.
    Go,
    /// Two ways: this path has taken one, here is the other.
    Fork(Box<State>),
    /// The kernel, for a syscall at this address.
    Call(u64),
}

/// Does the next instruction.
///
/// # Errors
/// It is one that a fixture must not come to, or it depends on something unknown.
pub fn step(world: &mut World, state: &mut State) -> Result<Next> {
    let at = state.rip;
    let insn = world
        .instruction(at)
        .with_context(|| format!("no code at {at:#x}"))?;
    world.steps += 1;
    state.rip = insn.next_ip();
    let next = execute(world, state, &insn);
    next.with_context(|| format!("at {at:#x}, {insn}"))
}

fn execute(world: &mut World, state: &mut State, insn: &Instruction) -> Result<Next> {
    let condition = insn.condition_code();
    if condition != ConditionCode::None {
        return conditional(world, state, insn, condition);
    }
    match insn.flow_control() {
        FlowControl::Next => {}
        FlowControl::UnconditionalBranch => {
            state.rip = insn.near_branch_target();
            return Ok(Next::Go);
        }
        FlowControl::Call if insn.mnemonic() == Mnemonic::Syscall => {
            return Ok(Next::Call(insn.ip()));
        }
        FlowControl::Call => return call(world, state, insn),
        FlowControl::Return if insn.mnemonic() == Mnemonic::Ret => return ret(world, state),
        other => bail!("{other:?}"),
    }
    if insn.has_rep_prefix() || insn.has_repne_prefix() {
        return string(world, state, insn);
    }
    let first = if insn.op_count() > 0 {
        insn.op0_register()
    } else {
        Register::None
    };
    if first.is_xmm() || insn.op_count() > 1 && insn.op1_register().is_xmm() {
        return vector(world, state, insn);
    }
    plain(world, state, insn)
}

/// Takes a condition's way, and leaves the other if both are possible.
fn conditional(
    world: &mut World,
    state: &mut State,
    insn: &Instruction,
    code: ConditionCode,
) -> Result<Next> {
    let (holds, next) = decide(world, state, insn, code)?;
    take(world, state, insn, holds)?;
    Ok(next)
}

/// Whether a condition holds on this path; if it need not, the path on which it does not, at the same
/// instruction.
fn decide(
    world: &World,
    state: &mut State,
    insn: &Instruction,
    code: ConditionCode,
) -> Result<(bool, Next)> {
    match state.flags.decide(&world.table, &state.known, code) {
        Decision::Sure(holds) => Ok((holds, Next::Go)),
        Decision::Unknown => bail!(
            "the condition depends on what is not known: {:?}",
            state.flags
        ),
        Decision::Open => {
            let mut other = Box::new(state.clone());
            other.rip = insn.ip();
            other.flags = Flags::Known(false, false, false, false);
            state.flags = Flags::Known(true, false, false, false);
            Ok((code == ConditionCode::b, Next::Fork(other)))
        }
        Decision::If(id, set) => {
            let mut other = Box::new(state.clone());
            other.rip = insn.ip();
            let rest = world.table.range(&state.known, id).minus(&set);
            world.table.refine(&mut other.known, id, &rest);
            world.table.refine(&mut state.known, id, &set);
            Ok((true, Next::Fork(other)))
        }
    }
}

fn take(world: &mut World, state: &mut State, insn: &Instruction, holds: bool) -> Result<()> {
    if insn.is_jcc_short_or_near() {
        state.rip = if holds {
            insn.near_branch_target()
        } else {
            state.rip
        };
    } else if insn.op_count() == 1 {
        write(world, state, insn, Val::Const(holds.into()))?;
    } else {
        // A conditional move of 32 bits clears the others in any case.
        let val = read(world, state, insn, u32::from(holds))?;
        write(world, state, insn, val)?;
    }
    Ok(())
}

fn call(world: &mut World, state: &mut State, insn: &Instruction) -> Result<Next> {
    ensure!(insn.is_call_near(), "not a direct call");
    let back = insn.next_ip();
    push(world, state, Val::Const(back))?;
    state.returns.push((state.regs[4], back));
    ensure!(state.returns.len() < 200, "calls without an end");
    state.rip = insn.near_branch_target();
    Ok(Next::Go)
}

fn ret(world: &mut World, state: &mut State) -> Result<Next> {
    let place = state.regs[4];
    let to = pop(world, state)?;
    let Some((want, back)) = state.returns.pop() else {
        bail!("a return without a call")
    };
    ensure!(
        place == want && to == Val::Const(back),
        "does not return to its caller"
    );
    state.rip = back;
    Ok(Next::Go)
}

/// Puts a value on the stack.
pub fn push(world: &mut World, state: &mut State, val: Val) -> Result<()> {
    state.regs[4] = world.table.add(state.regs[4], 8u64.wrapping_neg());
    state
        .memory
        .store(&mut world.table, &state.known, state.regs[4], 8, val)
}

fn pop(world: &mut World, state: &mut State) -> Result<Val> {
    let val = load(world, state, state.regs[4], 8)?;
    state.regs[4] = world.table.add(state.regs[4], 8);
    Ok(val)
}

/// Reads memory.
pub fn load(world: &mut World, state: &State, at: Val, len: u64) -> Result<Val> {
    let at = world.table.settled(&state.known, at);
    state
        .memory
        .load(world.file, &mut world.table, &state.known, at, len)
}

/// Writes memory.
pub fn store(world: &mut World, state: &mut State, at: Val, len: u64, val: Val) -> Result<()> {
    let at = world.table.settled(&state.known, at);
    state
        .memory
        .store(&mut world.table, &state.known, at, len, val)
}

fn address(world: &mut World, state: &State, insn: &Instruction) -> Result<Val> {
    ensure!(insn.segment_prefix() == Register::None, "a segment");
    if insn.is_ip_rel_memory_operand() {
        return Ok(Val::Const(insn.ip_rel_memory_address()));
    }
    let mut sum = Val::Const(insn.memory_displacement64());
    if insn.memory_base() != Register::None {
        let base = state.get(world, insn.memory_base());
        sum = world.table.op(Op::Plus, base, sum);
    }
    if insn.memory_index() != Register::None {
        let index = state.get(world, insn.memory_index());
        let scale = Val::Const(insn.memory_index_scale().into());
        let index = world.table.op(Op::Times, index, scale);
        sum = world.table.op(Op::Plus, sum, index);
    }
    Ok(sum)
}

/// How many bits the operand has.
fn bits(insn: &Instruction, operand: u32) -> u32 {
    match insn.op_kind(operand) {
        OpKind::Register => insn.op_register(operand).size() as u32 * 8,
        OpKind::Memory => insn.memory_size().size() as u32 * 8,
        _ => bits(insn, 0),
    }
}

fn read(world: &mut World, state: &State, insn: &Instruction, operand: u32) -> Result<Val> {
    match insn.op_kind(operand) {
        OpKind::Register => Ok(state.get(world, insn.op_register(operand))),
        OpKind::Memory => {
            let at = address(world, state, insn)?;
            let val = load(world, state, at, insn.memory_size().size() as u64)?;
            Ok(world.table.settled(&state.known, val))
        }
        _ => {
            let number = insn
                .try_immediate(operand)
                .ok()
                .context("an operand of another kind")?;
            Ok(Val::Const(
                number
                    & mask(if insn.mnemonic() == Mnemonic::Push {
                        64
                    } else {
                        bits(insn, 0)
                    }),
            ))
        }
    }
}

fn write(world: &mut World, state: &mut State, insn: &Instruction, val: Val) -> Result<()> {
    match insn.op_kind(0) {
        OpKind::Register => {
            state.set(world, insn.op0_register(), val);
            Ok(())
        }
        OpKind::Memory => {
            let at = address(world, state, insn)?;
            store(world, state, at, insn.memory_size().size() as u64, val)
        }
        _ => bail!("written where nothing can be"),
    }
}

fn plain(world: &mut World, state: &mut State, insn: &Instruction) -> Result<Next> {
    use Mnemonic::{
        Adc, Add, And, Bt, Cdqe, Cld, Cmp, Dec, Div, Imul, Inc, Lea, Mov, Movsx, Movsxd, Movzx,
        Mul, Neg, Nop, Not, Or, Pop, Push, Sar, Shl, Shr, Std, Sub, Test, Xchg, Xor,
    };
    match insn.mnemonic() {
        Nop => {}
        Cld => state.down = false,
        Std => state.down = true,
        Mov | Movzx => {
            let val = read(world, state, insn, 1)?;
            write(world, state, insn, val)?;
        }
        Movsx | Movsxd => {
            let val = read(world, state, insn, 1)?;
            let val = world.table.signed(&state.known, val, bits(insn, 1));
            write(world, state, insn, val)?;
        }
        Cdqe => {
            let val = state.get(world, Register::EAX);
            let val = world.table.signed(&state.known, val, 32);
            state.set(world, Register::RAX, val);
        }
        Lea => {
            let at = address(world, state, insn)?;
            write(world, state, insn, at)?;
        }
        Push => {
            let val = read(world, state, insn, 0)?;
            push(world, state, val)?;
        }
        Pop => {
            let val = pop(world, state)?;
            write(world, state, insn, val)?;
        }
        Xchg => exchange(world, state, insn)?,
        Div => divide(world, state, insn)?,
        Inc | Dec | Neg | Not => single(world, state, insn)?,
        Adc => return with_carry(world, state, insn),
        Add | Sub | Cmp | And | Or | Xor | Test | Imul | Shl | Shr | Sar => {
            two(world, state, insn)?
        }
        Bt => bit(world, state, insn)?,
        Mul => bail!("a wide product"),
        _ => bail!("an instruction that is not known"),
    }
    Ok(Next::Go)
}

fn exchange(world: &mut World, state: &mut State, insn: &Instruction) -> Result<()> {
    let (one, two) = (read(world, state, insn, 0)?, read(world, state, insn, 1)?);
    write(world, state, insn, two)?;
    state.set(world, insn.op1_register(), one);
    Ok(())
}

/// rdx must be 0.
fn divide(world: &mut World, state: &mut State, insn: &Instruction) -> Result<()> {
    let (width, by) = (bits(insn, 0), read(world, state, insn, 0)?);
    ensure!(
        width >= 32 && matches!(by, Val::Const(1..)),
        "a divisor that is not known"
    );
    let (rax, rdx) = match width {
        32 => (Register::EAX, Register::EDX),
        _ => (Register::RAX, Register::RDX),
    };
    ensure!(state.get(world, rdx) == Val::Const(0), "a wide dividend");
    let from = state.get(world, rax);
    let (over, rest) = (
        world.table.op(Op::Over, from, by),
        world.table.op(Op::Rest, from, by),
    );
    state.set(world, rax, over);
    state.set(world, rdx, rest);
    state.flags = Flags::Undef;
    Ok(())
}

fn single(world: &mut World, state: &mut State, insn: &Instruction) -> Result<()> {
    let (width, val) = (bits(insn, 0), read(world, state, insn, 0)?);
    let result = match insn.mnemonic() {
        Mnemonic::Inc => world.table.add(val, 1),
        Mnemonic::Dec => world.table.add(val, u64::MAX),
        Mnemonic::Neg => world.table.neg(val),
        _ => world.table.op(Op::Xor, val, Val::Const(u64::MAX)),
    };
    let result = world.table.low(&state.known, result, width);
    let carry = match (insn.mnemonic(), result) {
        (Mnemonic::Neg, Val::Const(_)) => Flags::compare(Val::Const(0), val, width),
        (Mnemonic::Not, _) => state.flags,
        _ => Flags::Result(result, width),
    };
    state.flags = carry;
    write(world, state, insn, result)
}

/// An addition with carry: the carry is settled first, so that this and the addition are two steps.
fn with_carry(world: &mut World, state: &mut State, insn: &Instruction) -> Result<Next> {
    let (carry, next) = decide(world, state, insn, ConditionCode::b)?;
    let (width, one, two) = (
        bits(insn, 0),
        read(world, state, insn, 0)?,
        read(world, state, insn, 1)?,
    );
    let sum = world.table.op(Op::Plus, one, two);
    let sum = world.table.add(sum, carry.into());
    let sum = world.table.low(&state.known, sum, width);
    state.flags = Flags::Result(sum, width);
    write(world, state, insn, sum)?;
    Ok(next)
}

fn two(world: &mut World, state: &mut State, insn: &Instruction) -> Result<()> {
    use Mnemonic::{Add, And, Cmp, Imul, Or, Sar, Shl, Shr, Sub, Test, Xor};
    let (width, mnemonic) = (bits(insn, 0), insn.mnemonic());
    let same = insn.op_count() == 2
        && insn.op_kind(1) == OpKind::Register
        && insn.op0_register() == insn.op1_register();
    if same && matches!(mnemonic, Xor | Sub) {
        state.flags = Flags::Known(false, true, false, false);
        return write(world, state, insn, Val::Const(0));
    }
    let left = u32::from(insn.op_count() == 3);
    let (mut one, two) = (
        read(world, state, insn, left)?,
        read(world, state, insn, left + 1)?,
    );
    if mnemonic == Sar {
        one = world.table.signed(&state.known, one, width);
        ensure!(matches!(one, Val::Const(_)), "a shift of what is not known");
        let (Val::Const(a), Val::Const(b)) = (one, two) else {
            bail!("a shift of what is not known")
        };
        let result = Val::Const((a as i64 >> b) as u64 & mask(width));
        state.flags = Flags::Result(result, width);
        return write(world, state, insn, result);
    }
    if (mnemonic, two) == (And, Val::Const(0)) {
        // Of whatever was there.
        state.flags = Flags::Known(false, true, false, false);
        return write(world, state, insn, Val::Const(0));
    }
    let op = match mnemonic {
        Add => Op::Plus,
        Sub | Cmp => Op::Minus,
        And | Test => Op::And,
        Or => Op::Or,
        Xor => Op::Xor,
        Imul => Op::Times,
        Shl => Op::Left,
        Shr => Op::Right,
        _ => bail!("an instruction that is not known"),
    };
    if same && matches!(mnemonic, Test | And | Or) {
        state.flags = Flags::logic(one, width);
        return Ok(());
    }
    if mnemonic == Or && two == Val::Const(mask(width)) {
        state.flags = Flags::logic(two, width);
        return write(world, state, insn, two);
    }
    let result = world.table.op(op, one, two);
    let result = world.table.low(&state.known, result, width);
    state.flags = match mnemonic {
        Sub | Cmp => Flags::compare(one, two, width),
        Add => Flags::sum(one, two, result, width),
        And | Test | Or | Xor => Flags::logic(result, width),
        _ => Flags::Result(result, width),
    };
    if matches!(mnemonic, Cmp | Test) {
        Ok(())
    } else {
        write(world, state, insn, result)
    }
}

fn bit(world: &mut World, state: &mut State, insn: &Instruction) -> Result<()> {
    ensure!(insn.op_kind(0) == OpKind::Register, "a bit of memory");
    let width = u64::from(bits(insn, 0));
    state.flags = match (read(world, state, insn, 0)?, read(world, state, insn, 1)?) {
        (Val::Const(of), Val::Const(at)) => {
            Flags::Known(of >> (at % width) & 1 == 1, false, false, false)
        }
        _ => Flags::Carry,
    };
    Ok(())
}

/// Moves of 16 bytes, zeros and ones.
fn vector(world: &mut World, state: &mut State, insn: &Instruction) -> Result<Next> {
    use Mnemonic::{Movaps, Movdqa, Movdqu, Movups, Pcmpeqd, Pxor, Xorps};
    let number = |register: Register| register.number();
    match insn.mnemonic() {
        Xorps | Pxor if insn.op0_register() == insn.op1_register() => {
            state.xmm[number(insn.op0_register())] = [Val::Const(0); 2];
        }
        Pcmpeqd if insn.op0_register() == insn.op1_register() => {
            state.xmm[number(insn.op0_register())] = [Val::Const(u64::MAX); 2];
        }
        Movaps | Movups | Movdqa | Movdqu => {
            let val = if insn.op1_kind() == OpKind::Memory {
                let at = address(world, state, insn)?;
                let high = world.table.add(at, 8);
                [load(world, state, at, 8)?, load(world, state, high, 8)?]
            } else {
                state.xmm[number(insn.op1_register())]
            };
            if insn.op0_kind() == OpKind::Memory {
                let at = address(world, state, insn)?;
                let high = world.table.add(at, 8);
                store(world, state, at, 8, val[0])?;
                store(world, state, high, 8, val[1])?;
            } else {
                state.xmm[number(insn.op0_register())] = val;
            }
        }
        _ => bail!("an instruction that is not known"),
    }
    Ok(Next::Go)
}

/// `rep movsb` and the like, as often as a known rcx says.
fn string(world: &mut World, state: &mut State, insn: &Instruction) -> Result<Next> {
    use Mnemonic::{Movsb, Movsd, Movsq, Movsw, Stosb, Stosd, Stosq, Stosw};
    let Val::Const(count) = state.get(world, Register::RCX) else {
        bail!("a count that is not known")
    };
    let len = insn.memory_size().size() as u64;
    ensure!(count < 0x10000, "too many bytes");
    let step = if state.down { len.wrapping_neg() } else { len };
    for _ in 0..count {
        let (from, to) = (state.regs[6], state.regs[7]);
        match insn.mnemonic() {
            Movsb | Movsw | Movsd | Movsq => copy(world, state, to, from, len)?,
            Stosb | Stosw | Stosd | Stosq => store(world, state, to, len, state.regs[0])?,
            _ => bail!("an instruction that is not known"),
        }
        if matches!(insn.mnemonic(), Movsb | Movsw | Movsd | Movsq) {
            state.regs[6] = world.table.add(from, step);
        }
        state.regs[7] = world.table.add(to, step);
    }
    state.regs[1] = Val::Const(0);
    Ok(Next::Go)
}

fn copy(world: &mut World, state: &mut State, to: Val, from: Val, len: u64) -> Result<()> {
    for n in 0..len {
        let (to, from) = (world.table.add(to, n), world.table.add(from, n));
        state.memory.copy(world.file, &mut world.table, to, from)?;
    }
    Ok(())
}
