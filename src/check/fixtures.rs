//! The fixtures that the program carries.

use anyhow::{Context, Result, ensure};
use ioworkload_check::expected;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Every fixture, `ioworkload` and `init`, by name.
const ALL: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/fixtures.in"));

/// Writes the programs, and the expected traces.
pub fn unpack(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    write(directory)?;
    for (name, text) in expected::ALL {
        let path = directory.join(name).with_extension("json");
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Writes the programs into a directory that is there.
pub fn write(directory: &Path) -> Result<()> {
    ensure!(
        !ALL.is_empty(),
        "built without fixtures: run `make`, which builds them first"
    );
    for (name, bytes) in ALL {
        let path = directory.join(name);
        let written = fs::write(&path, bytes);
        let written =
            written.and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)));
        written.with_context(|| path.display().to_string())?;
    }
    Ok(())
}
