//! Is there a KVM that works? That there is one means little: on nested hosts it may run a boot
//! loader, and never come to the end of a kernel.

use super::archive::{Node, initramfs};
use super::vm::{Accelerator, End, Machine};
use crate::shipped;
use anyhow::Result;
use std::fs::File;
use std::time::Duration;

/// How long a kernel may take with a KVM that works; it takes about a second.
const LIMIT: Duration = Duration::from_secs(5);

/// KVM, if a machine like this one comes to the end of a report with it; otherwise QEMU's own
/// emulation.
///
/// # Errors
/// QEMU is missing, or a file can't be read or written.
pub fn choose(machine: &Machine) -> Result<Accelerator> {
    let kvm = File::options().read(true).write(true).open("/dev/kvm");
    Ok(if kvm.is_ok() && works(machine)? {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    })
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
