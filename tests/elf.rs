//! Is each shipped file the one segment that linker.ld promises, and nothing else?

mod programs;

use ioworkload_tests::{ORIGINAL, root, scenarios, shipped};
use object::LittleEndian;
use object::elf::{
    EM_X86_64, ET_EXEC, FileHeader64, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_LOAD, ProgramFlags,
    ProgramHeader64, ProgramType,
};
use object::read::elf::{FileHeader, ProgramHeader};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

type Header = FileHeader64<LittleEndian>;
type Segment = ProgramHeader64<LittleEndian>;

const ENDIAN: LittleEndian = LittleEndian;

/// The most bytes that a fixture may have: a page.
const LIMIT: usize = 4096;

/// The most bytes that a fixture of one simple story may have.
const SMALL: usize = 2176;

/// The most bytes that `ioworkload` may have, with every scenario and every expected trace.
const ALL_LIMIT: usize = 192 * 1024;

// What can be wrong with a program.
const CLASS: &str = "not ELF of 64 bits, little-endian";
const TABLE: &str = "program headers outside of the file";
const TYPE: &str = "not ET_EXEC";
const MACHINE: &str = "not x86_64";
const SECTIONS: &str = "section headers";
const SEGMENTS: &str = "not PT_LOAD R+X, PT_GNU_STACK R+W";
const EXTENT: &str = "not the whole file is loaded";
const ENTRY: &str = "starts outside of the segment";

/// What is wrong with a program.
fn faults(file: &[u8]) -> Vec<&'static str> {
    let Ok(header) = Header::parse(file) else {
        return vec![CLASS];
    };
    if !header.is_little_endian() {
        return vec![CLASS];
    }
    let Ok(segments) = header.program_headers(ENDIAN, file) else {
        return vec![TABLE];
    };
    let first = |holds: &dyn Fn(&Segment) -> bool| segments.first().is_some_and(holds);
    let checks = [
        (TYPE, header.e_type(ENDIAN) == ET_EXEC),
        (MACHINE, header.e_machine(ENDIAN) == EM_X86_64),
        (SECTIONS, sections(header) == (0, 0, 0)),
        (SEGMENTS, shape(segments) == SHAPE),
        (EXTENT, first(&|load| extent(load) == whole(file))),
        (ENTRY, first(&|load| holds(load, header.e_entry(ENDIAN)))),
    ];
    checks
        .iter()
        .filter(|(_, holds)| !holds)
        .map(|(fault, _)| *fault)
        .collect()
}

const SHAPE: [(ProgramType, ProgramFlags); 2] = [
    (PT_LOAD, ProgramFlags(PF_R.0 | PF_X.0)),
    (PT_GNU_STACK, ProgramFlags(PF_R.0 | PF_W.0)),
];

fn shape(segments: &[Segment]) -> Vec<(ProgramType, ProgramFlags)> {
    let of = |segment: &Segment| (segment.p_type(ENDIAN), segment.p_flags(ENDIAN));
    segments.iter().map(of).collect()
}

/// Where they are, how many, and which of them has the names.
fn sections(header: &Header) -> (u64, u16, u16) {
    (
        header.e_shoff(ENDIAN),
        header.e_shnum(ENDIAN),
        header.e_shstrndx(ENDIAN).0,
    )
}

/// Offset, bytes in the file, bytes in memory.
fn extent(load: &Segment) -> (u64, u64, u64) {
    (
        load.p_offset(ENDIAN),
        load.p_filesz(ENDIAN),
        load.p_memsz(ENDIAN),
    )
}

fn whole(file: &[u8]) -> (u64, u64, u64) {
    (0, file.len() as u64, file.len() as u64)
}

/// Behind the headers, which are at the start of the segment.
fn holds(load: &Segment, entry: u64) -> bool {
    let headers = size_of::<Header>() + SHAPE.len() * size_of::<Segment>();
    let start = load.p_vaddr(ENDIAN);
    (start + headers as u64..start + load.p_memsz(ENDIAN)).contains(&entry)
}

/// The shipped programs, and their bytes.
fn programs() -> Vec<(String, Vec<u8>)> {
    let names = scenarios()
        .into_iter()
        .chain(["ioworkload", "init"].map(str::to_owned));
    names
        .map(|name| (name.clone(), read(&shipped(&name))))
        .collect()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn one_segment() {
    for (name, file) in programs() {
        assert_eq!(faults(&file), [""; 0], "{name}");
    }
}

/// Where the program headers stand.
const LOAD: usize = 64;
const STACK: usize = LOAD + 56;

/// A change to a sound program that makes one fault: where, and what stands there instead.
#[rustfmt::skip]
const CHANGES: &[(&str, usize, &[u8])] = &[
    (CLASS, 0, b"\x7fELV"),
    (CLASS, 4, &[1]), // ELFCLASS32
    (CLASS, 5, &[2]), // ELFDATA2MSB
    (TABLE, 35, &[0xff]), // e_phoff
    (TYPE, 16, &[3]), // ET_DYN
    (MACHINE, 18, &[183]), // EM_AARCH64
    (SECTIONS, 40, &[64]), // e_shoff
    (SECTIONS, 60, &[1]), // e_shnum
    (SECTIONS, 62, &[1]), // e_shstrndx
    (ENTRY, 24, &[0xaf, 0, 0x40]), // the last byte of the headers
    (ENTRY, 24, &[0, 0, 0]),
    (ENTRY, 24, &[0xff, 0xff, 0xff]),
    (SEGMENTS, 56, &[1]), // e_phnum: no PT_GNU_STACK
    (SEGMENTS, 56, &[3]), // a third one, of whatever stands there
    (SEGMENTS, LOAD + 4, &[7]), // R+W+X
    (SEGMENTS, LOAD + 4, &[6]), // R+W
    (SEGMENTS, LOAD + 4, &[4]), // R
    (SEGMENTS, STACK + 4, &[7]), // R+W+X
    (SEGMENTS, STACK, &[1, 0, 0, 0]), // PT_LOAD
    (SEGMENTS, STACK, &[2, 0, 0, 0]), // PT_DYNAMIC
    (SEGMENTS, STACK, &[3, 0, 0, 0]), // PT_INTERP
    (SEGMENTS, STACK, &[7, 0, 0, 0]), // PT_TLS
    (EXTENT, LOAD + 9, &[0x10]), // p_offset
    (EXTENT, LOAD + 34, &[0x10]), // p_filesz
    (EXTENT, LOAD + 42, &[0x10]), // p_memsz
];

#[test]
fn faults_are_found() {
    for (name, file) in programs() {
        for (fault, at, bytes) in CHANGES {
            let mut changed = file.clone();
            changed[*at..][..bytes.len()].copy_from_slice(bytes);
            assert_eq!(faults(&changed), [*fault], "{name}: {bytes:x?} at {at}");
        }
        let longer = [file.as_slice(), &[0]].concat();
        assert_eq!(faults(&longer), [EXTENT], "{name}");
    }
}

#[test]
fn small() {
    let sizes = programs()
        .into_iter()
        .map(|(name, file)| (name, file.len()));
    let limit = |name: &str| {
        if ORIGINAL.contains(&name) {
            SMALL
        } else {
            LIMIT
        }
    };
    let (large, fixtures): (Vec<_>, Vec<_>) = sizes.partition(|(name, size)| *size > limit(name));
    println!("{large:?}\n{fixtures:?}");
    assert_eq!(
        large.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["ioworkload", "init"]
    );
    let all = large.iter().find(|(name, _)| name == "ioworkload");
    assert!(all.is_some_and(|(_, size)| *size <= ALL_LIMIT), "{all:?}");
    let simple = fixtures
        .iter()
        .filter(|(name, _)| ORIGINAL.contains(&name.as_str()));
    assert_eq!(simple.count(), ORIGINAL.len());
}

/// The texts in a file that say where it was built.
fn origins(file: &[u8]) -> Vec<PathBuf> {
    let home = env::home_dir().expect("a home");
    let cargo_home = env::var_os("CARGO_HOME").map_or(home.join(".cargo"), PathBuf::from);
    let places = [root().into(), cargo_home, "/rustc/".into(), "src/".into()];
    let has = |place: &PathBuf| {
        let place = place.as_os_str().as_encoded_bytes();
        file.windows(place.len()).any(|bytes| bytes == place)
    };
    places.into_iter().filter(has).collect()
}

#[test]
fn no_path_of_the_machine_that_built_it() {
    for (name, file) in programs() {
        assert_eq!(origins(&file), [""; 0].map(PathBuf::from), "{name}");
    }
    let this = read(&env::current_exe().expect("this test"));
    assert_eq!(origins(&this).len(), 4, "a hosted test has them all");
}

/// What the linker's map has of `core::fmt`, by the names of functions or of their sections.
fn formatting(map: &str) -> Vec<&str> {
    let formats = |line: &&str| line.contains("core::fmt::") || line.contains("4core3fmt");
    map.lines().filter(formats).collect()
}

/// A place for the map of a program, and the flags that ask for it.
fn map_of(name: &str) -> (PathBuf, [String; 2]) {
    let map = Path::new(programs::SCRATCH)
        .join(name)
        .with_extension("map");
    // Not by -Wl: there may be a comma in it.
    let map_flag = format!("-Clink-arg=-Map={}", map.display());
    (map, ["-Clink-arg=-Xlinker".into(), map_flag])
}

#[test]
fn no_formatting() {
    let (map, flags) = map_of("ioworkload");
    let mut cargo = programs::cargo("rustc", "library");
    cargo
        .args(["--release", "--bin=ioworkload", "--"])
        .args(&flags);
    assert!(cargo.status().expect("cargo starts").success());
    let map = fs::read_to_string(map).expect("a map");
    assert_eq!(formatting(&map), [""; 0]);
    let linked = "library/x86_64-unknown-linux-gnu/release/ioworkload";
    let linked = read(&Path::new(programs::SCRATCH).join(linked));
    let shipped = read(&shipped("ioworkload"));
    assert!(
        linked.starts_with(&shipped),
        "the map is of another program"
    );
}

#[test]
fn formatting_is_found() {
    let (map, flags) = map_of("formats");
    programs::compile("formats", &flags).expect("it links");
    let map = fs::read_to_string(map).expect("a map");
    assert_ne!(formatting(&map), [""; 0]);
}
