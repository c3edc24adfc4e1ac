//! Is there a KVM that works? That there is one means little: on nested hosts it may run a boot
//! loader, and never come to the end of a kernel.

use super::archive::{Node, initramfs};
use super::vm::{Accelerator, End, Machine};
use crate::shipped;
use anyhow::Result;
use std::fs::{self, File};
use std::time::Duration;

/// How long a kernel may take with a KVM that works; it takes about a second.
const LIMIT: Duration = Duration::from_secs(5);

/// KVM, if a machine like this one comes to the end of a report with it; otherwise QEMU's own
/// emulation. The answer is kept in target/vm until the host is booted again.
///
/// # Errors
/// QEMU is missing, or a file can't be read or written.
pub fn choose(machine: &Machine) -> Result<Accelerator> {
    if File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        return Ok(Accelerator::Tcg);
    }
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let place = crate::target().join("vm/accelerator");
    let known = [Accelerator::Tcg, Accelerator::Kvm].into_iter();
    let mut known = known.map(|it| (it, format!("{} {boot_id}", it.name())));
    let note = fs::read_to_string(&place).unwrap_or_default();
    if let Some((known, _)) = known.find(|(_, text)| *text == note) {
        return Ok(known);
    }
    eprintln!("trying KVM, {} s at most", LIMIT.as_secs());
    let chosen = if works(machine)? {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    };
    fs::write(place, format!("{} {boot_id}", chosen.name()))?;
    Ok(chosen)
}

/// Whether `init` reports, within the limit, that there is nothing to run.
///
/// # Errors
/// QEMU is missing, or a file can't be read or written.
pub fn works(machine: &Machine) -> Result<bool> {
    let machine = Machine {
        accelerator: Accelerator::Kvm,
        limit: LIMIT,
        ..machine.clone()
    };
    let mut nodes = vec![Node::program("init", shipped("init"))];
    nodes.extend(super::dev());
    let boot = machine.boot("kvm", &initramfs(nodes)?, "", &mut |_| ())?;
    Ok(boot.end == End::Badly)
}
