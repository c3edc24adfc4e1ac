//! Is a release the same wherever it is made, is it whole, and does what is in it run, install and
//! go again?

use ioworkload_tests::{copy_of_the_sources, root, scenarios, shipped};
use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What must not show in a release: by whom it is made, where and when.
struct Packager {
    user: &'static str,
    directory: &'static str,
    /// Two of them never have the same date.
    zone: &'static str,
    locale: &'static str,
    umask: &'static str,
    /// The date of the source files.
    sources: &'static str,
    /// Whether another user packs what was built.
    stranger: bool,
}

const ALICE: Packager = Packager {
    user: "alice",
    directory: "a",
    zone: "WEST12",
    locale: "C",
    umask: "022",
    sources: "2001-02-03",
    stranger: false,
};

const BOB: Packager = Packager {
    user: "bob",
    directory: "a place/further down",
    zone: "EAST-14",
    locale: "C.UTF-8",
    umask: "077",
    sources: "2011-12-13",
    stranger: true,
};

/// A copy of the source tree, and what a packager needs besides.
struct Workshop {
    place: PathBuf,
    packager: &'static Packager,
}

impl Workshop {
    /// A new one, in place of what an earlier run has left there.
    fn new(name: &str, packager: &'static Packager) -> Self {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("release")
            .join(name);
        let place = place.join(packager.user);
        if place.exists() {
            fs::remove_dir_all(&place).expect("it is ours");
        }
        let workshop = Self { place, packager };
        fs::create_dir_all(workshop.cargo_home()).expect("it can be written");
        let registry = cargo_home().join("registry");
        symlink(registry, workshop.cargo_home().join("registry")).expect("a link");
        copy_of_the_sources(&workshop.sources());
        let mut touch = Command::new("find");
        touch.arg(workshop.sources()).args(["-exec", "touch", "-d"]);
        done(touch.args([packager.sources, "{}", "+"]));
        workshop
    }

    /// One that has two programs only, which suffices where the question is how one is built.
    fn small(name: &str, packager: &'static Packager) -> Self {
        let workshop = Self::new(name, packager);
        let manifest = workshop.sources().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("a manifest");
        let keep = |line: &&str| {
            let program = line.starts_with("    { name = ");
            !program || line.contains("\"ioworkload\"") || line.contains("\"aio-submit\"")
        };
        let lines: Vec<_> = text.lines().filter(keep).collect();
        fs::write(manifest, lines.join("\n")).expect("it is ours");
        workshop
    }

    fn sources(&self) -> PathBuf {
        self.place.join(self.packager.directory)
    }

    fn home(&self) -> PathBuf {
        self.place.join("home")
    }

    fn cargo_home(&self) -> PathBuf {
        self.home().join("cargo")
    }

    /// `make ARGS`, with nothing of our own environment but the compiler.
    fn make(&self, args: &[&str], stranger: bool) {
        // Another user of that number, who may still write what is ours.
        let user = ["--user", "--map-user=4321", "--map-group=4321"];
        let mut make = Command::new(if stranger { "unshare" } else { "env" });
        make.args(user.iter().filter(|_| stranger))
            .args(["sh", "-c", "umask \"$0\" && exec make \"$@\""])
            .arg(self.packager.umask)
            .args(args)
            .current_dir(self.sources())
            .env_clear()
            .env("PATH", path())
            .env("HOME", self.home())
            .env("CARGO_HOME", self.cargo_home())
            .env("CARGO_NET_OFFLINE", "true")
            .env("USER", self.packager.user)
            .env("TZ", self.packager.zone)
            .env("LC_ALL", self.packager.locale);
        done(&mut make);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.sources().join("target/package").join(name)
    }

    /// What this place is known by.
    fn marks(&self) -> Vec<String> {
        let compiler = env!("CARGO").strip_suffix("/bin/cargo");
        let own = [self.place.to_str(), root().to_str(), compiler];
        let own = own.map(|path| path.expect("a path is text").to_owned());
        own.into_iter()
            .chain([cargo_home().display().to_string()])
            .collect()
    }
}

fn cargo_home() -> PathBuf {
    let home = env::home_dir().expect("a home");
    env::var_os("CARGO_HOME").map_or(home.join(".cargo"), PathBuf::from)
}

/// The compiler that builds us, in front of everything else.
fn path() -> OsString {
    let cargo = Path::new(env!("CARGO")).with_file_name("");
    let path = env::var_os("PATH").expect("a path");
    env::join_paths([cargo].into_iter().chain(env::split_paths(&path))).expect("a path")
}

/// What a command prints, which has to succeed.
fn done(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn tarball() -> String {
    format!("ioworkload-{VERSION}-x86_64-linux.tar.gz")
}

fn deb() -> String {
    format!("ioworkload_{VERSION}_amd64.deb")
}

/// The release, made by each of the two.
static RELEASES: LazyLock<[Workshop; 2]> = LazyLock::new(|| {
    [&ALICE, &BOB].map(|packager| {
        let workshop = Workshop::new("same", packager);
        workshop.make(&["all"], false);
        workshop.make(&["dist", "deb"], packager.stranger);
        workshop
    })
});

/// The files of a tarball, in a directory of their own.
fn unpacked(workshop: &Workshop) -> TempDir {
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("target/ can be written");
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(place.path()).arg("--strip-components=1");
    done(tar.arg("-xzf").arg(workshop.file(&tarball())));
    place
}

/// All files below a directory, sorted, as names relative to it.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut find = Command::new("find");
    let found = done(
        find.arg(directory)
            .args(["!", "-type", "d", "-printf", "%P\n"]),
    );
    found.lines().map(str::to_owned).collect()
}

/// All that is installed: mode and name.
fn wanted() -> Vec<(&'static str, String)> {
    let name = |name: &str| ("644", name.to_owned());
    let mut wanted = vec![
        ("755", "bin/ioworkload".into()),
        name("share/ioworkload/expected-trace.schema.json"),
        name("share/man/man1/ioworkload.1"),
    ];
    for scenario in scenarios() {
        wanted.push(("755", format!("libexec/ioworkload/{scenario}")));
        wanted.push(name(&format!("share/ioworkload/expected/{scenario}.json")));
    }
    for document in [
        "CHANGES.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "LICENSES-OF-CRATES",
        "README.md",
    ] {
        wanted.push(name(&format!("share/doc/ioworkload/{document}")));
    }
    for (directory, ending) in [("tests/bench", ".svg"), ("tests/examples", "")] {
        let names = files(&root().join(directory)).into_iter();
        let linked = names.filter(|file| file.ends_with(ending));
        wanted.extend(linked.map(|file| name(&format!("share/doc/ioworkload/{directory}/{file}"))));
    }
    wanted.sort_by(|one, other| one.1.cmp(&other.1));
    wanted
}

#[test]
fn two_packagers_make_the_same_bits() {
    let [one, other] = &*RELEASES;
    for name in [tarball(), deb()] {
        let read = |workshop: &Workshop| fs::read(workshop.file(&name)).expect("a package");
        assert!(read(one) == read(other), "{name} differs");
    }
}

/// The places in a tree that name one of these.
fn mentions(tree: &Path, marks: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(tree) {
        let bytes = fs::read(tree.join(&file)).expect("a file");
        let has = |mark: &&String| {
            bytes
                .windows(mark.len())
                .any(|part| part == mark.as_bytes())
        };
        found.extend(marks.iter().find(has).map(|mark| format!("{file}: {mark}")));
    }
    found
}

#[test]
fn no_place_of_the_machine_that_made_it() {
    let workshop = &RELEASES[0];
    let tree = unpacked(workshop);
    assert_eq!(mentions(tree.path(), &workshop.marks()), [""; 0]);
    let contents = TempDir::new().expect("a temporary directory");
    let mut dpkg = Command::new("dpkg-deb");
    done(
        dpkg.arg("-R")
            .arg(workshop.file(&deb()))
            .arg(contents.path()),
    );
    assert_eq!(mentions(contents.path(), &workshop.marks()), [""; 0]);
}

#[test]
fn the_tarball_is_whole() {
    let workshop = &RELEASES[1];
    let mut tar = Command::new("tar");
    tar.args(["--utc", "--full-time", "--numeric-owner", "-tvzf"]);
    let list = done(tar.arg(workshop.file(&tarball())));
    let top = tarball().replace(".tar.gz", "/");
    let row = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [mode, owner, _, date, time, name] = words[..] else {
            panic!("{line}");
        };
        assert_eq!([owner, date, time], ["0/0", &released(), "00:00:00"]);
        let mode = match mode {
            "drwxr-xr-x" => return None,
            "-rwxr-xr-x" => "755",
            "-rw-r--r--" => "644",
            _ => panic!("{line}"),
        };
        let name = name.strip_prefix(&top).expect("one directory");
        Some((mode, name.to_owned()))
    };
    let mut found: Vec<_> = list.lines().filter_map(row).collect();
    found.sort_by(|one, other| one.1.cmp(&other.1));
    let sums = ("644", "SHA256SUMS".to_owned());
    let at = found.iter().position(|file| *file == sums);
    found.remove(at.expect("the sums"));
    assert_eq!(found, wanted());
}

/// The date of the newest changes.
fn released() -> String {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let (_, changes) = readme.split_once("\n## Changes\n").expect("changes");
    let newest = changes.lines().find_map(|line| line.strip_prefix("### "));
    let (version, date) = newest
        .and_then(|line| line.split_once(", "))
        .expect("changes");
    assert_eq!(version, VERSION, "the newest changes are another version's");
    date.to_owned()
}

#[test]
fn the_sums_are_of_all_files_and_right() {
    let tree = unpacked(&RELEASES[0]);
    let sums = fs::read_to_string(tree.path().join("SHA256SUMS")).expect("sums");
    let names = sums.lines().map(|line| line.split_at(66).1.to_owned());
    let names: Vec<_> = names.collect();
    let wanted = wanted().into_iter().map(|(_, name)| name);
    assert_eq!(names, wanted.collect::<Vec<_>>());
    let check = || {
        let mut check = Command::new("sha256sum");
        check.args(["--check", "--strict", "--quiet", "SHA256SUMS"]);
        check.current_dir(tree.path()).output().expect("it starts")
    };
    assert!(check().status.success());
    fs::write(tree.path().join("share/doc/ioworkload/CHANGES.md"), "").expect("it is ours");
    assert!(!check().status.success());
}

/// It is a fixture as it is tested.
#[test]
fn its_fixtures_are_those_that_are_tested() {
    let tree = unpacked(&RELEASES[0]);
    for name in scenarios() {
        let packed = tree.path().join("libexec/ioworkload").join(&name);
        assert!(
            fs::read(packed).ok() == fs::read(shipped(&name)).ok(),
            "{name}"
        );
    }
}

/// Mode and name of every file below a directory.
fn modes(directory: &Path) -> Vec<(String, String)> {
    let mode = |name: &str| {
        let file = directory.join(name).metadata().expect("a file");
        format!("{:o}", file.permissions().mode() & 0o7777)
    };
    let files = files(directory).into_iter();
    files.map(|name| (mode(&name), name)).collect()
}

#[test]
fn what_is_installed_can_be_removed() {
    let workshop = &RELEASES[0];
    let place = TempDir::new().expect("a temporary directory");
    let destination = format!("DESTDIR={}", place.path().join("with blanks").display());
    let usr = place.path().join("with blanks/usr");
    workshop.make(&["install", "PREFIX=/usr", &destination], false);
    let wanted = wanted().into_iter();
    let wanted: Vec<_> = wanted.map(|(mode, name)| (mode.to_owned(), name)).collect();
    assert_eq!(modes(&usr), wanted);
    let list = done(Command::new(usr.join("bin/ioworkload")).arg("--list"));
    assert_eq!(list, scenarios().join("\n") + "\n");

    let own = "libexec/ioworkload/of-the-user";
    fs::write(usr.join(own), "").expect("it is ours");
    workshop.make(&["uninstall", "PREFIX=/usr", &destination], false);
    assert_eq!(files(&usr), BTreeSet::from([own.to_owned()]));
    fs::remove_file(usr.join(own)).expect("it is ours");
    workshop.make(&["uninstall", "PREFIX=/usr", &destination], false);
    let left = done(
        Command::new("find")
            .arg(&usr)
            .args(["-name", "ioworkload*"]),
    );
    assert_eq!(left, "");
}

/// The traces that are installed are those of the programs beside them, which are built in the usual way; and
/// a path of the machine's that is built in would be seen.
#[test]
fn what_is_built_in_shows() {
    let workshop = Workshop::small("elsewhere", &ALICE);
    let source = workshop.sources().join("src/cli.rs");
    let text = fs::read_to_string(&source).expect("a source");
    let changed = text.replace("CARGO_PKG_VERSION", "CARGO_MANIFEST_DIR");
    assert_ne!(text, changed);
    fs::write(source, changed).expect("it is ours");
    workshop.make(&["tree", "FIXTURE_TMP=/somewhere"], false);
    let tree = workshop.file("tree");
    let mark = format!("bin/ioworkload: {}", workshop.place.display());
    assert_eq!(mentions(&tree, &workshop.marks()), [mark]);
    let trace = tree.join("share/ioworkload/expected/aio-submit.json");
    let trace = fs::read_to_string(trace).expect("a trace");
    let mut program = Command::new(tree.join("bin/ioworkload"));
    assert_eq!(trace, done(program.arg("--expect=aio-submit")));
    let path = "\"/somewhere/ioworkload-aio-submit\"";
    assert!(trace.contains(path), "{trace}");
}

/// A root file system of which dpkg knows nothing yet, and the command that changes it.
fn dpkg(root: &Path) -> Command {
    let info = root.join("var/lib/dpkg/info");
    fs::create_dir_all(info.with_file_name("updates")).expect("it can be written");
    fs::create_dir_all(info).expect("it can be written");
    let mut dpkg = Command::new("unshare");
    dpkg.args(["--map-root-user", "dpkg"]);
    dpkg.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    // Slim images leave documents out.
    dpkg.args(["--path-include=/usr/share/*", "--root"])
        .arg(root);
    dpkg
}

#[test]
fn the_debian_package_comes_and_goes() {
    let place = TempDir::new().expect("a temporary directory");
    let root = place.path();
    done(dpkg(root).arg("--install").arg(RELEASES[0].file(&deb())));
    let state = done(dpkg(root).args(["--status", "ioworkload"]));
    let says = |line: &str| state.lines().any(|field| field == line);
    assert!(says("Status: install ok installed"), "{state}");
    assert!(says(&format!("Version: {VERSION}")), "{state}");
    assert_eq!(done(dpkg(root).args(["--verify", "ioworkload"])), "");

    let share = |name: &str| format!("share/{name}");
    let mut wanted: BTreeSet<_> = wanted().into_iter().map(|(_, name)| name).collect();
    let own =
        |name: &String| name.starts_with("share/doc/ioworkload/") && !name.contains("/tests/");
    wanted.retain(|name| !own(name) && !name.ends_with(".1"));
    wanted.insert(share("man/man1/ioworkload.1.gz"));
    wanted.insert(share("lintian/overrides/ioworkload"));
    for document in ["README.md", "changelog.gz", "copyright"] {
        wanted.insert(share(&format!("doc/ioworkload/{document}")));
    }
    assert_eq!(files(&root.join("usr")), wanted);
    let list = done(Command::new(root.join("usr/bin/ioworkload")).arg("--list"));
    assert_eq!(list, scenarios().join("\n") + "\n");

    done(dpkg(root).args(["--purge", "ioworkload"]));
    assert!(!root.join("usr").exists());
}

/// What man says about a page, and the page as it shows it.
fn man(page: &Path) -> (String, String) {
    let mut man = Command::new("man");
    man.args(["--warnings", "-E", "UTF-8", "-l"]).arg(page);
    let output = man.env("MANWIDTH", "80").output().expect("man starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stderr), text(output.stdout))
}

/// The words of a text that start with `--` or `IOR_`.
fn options(text: &str) -> BTreeSet<&str> {
    let end = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    let words = text.split(end);
    let option = |word: &&str| word.starts_with("--") || word.starts_with("IOR_");
    words.filter(option).collect()
}

#[test]
fn the_manual_page_is_that_of_the_program() {
    let tree = unpacked(&RELEASES[0]);
    let page = tree.path().join("share/man/man1/ioworkload.1");
    let (warnings, shown) = man(&page);
    assert_eq!(warnings, "");
    let widest = shown.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{shown}");
    let help = done(Command::new(tree.path().join("bin/ioworkload")).arg("--help"));
    assert!(options(&help).len() > 5, "{help}");
    assert_eq!(options(&shown), options(&help));
    assert!(shown.contains(VERSION) && shown.contains(&released()));
    let version = done(Command::new(tree.path().join("bin/ioworkload")).arg("--version"));
    assert!(
        version.starts_with(&format!("ioworkload {VERSION}, ")),
        "{version}"
    );
}

#[test]
fn a_faulty_manual_page_is_noticed() {
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty.1");
    fs::write(&page, ".TH FAULTY 1\n.SH NAME\nfaulty\n.NOSUCH macro\n").expect("it is ours");
    let (warnings, _) = man(&page);
    assert!(warnings.contains("NOSUCH"), "{warnings}");
}

/// A fixture is our code, two crates', and what these two need.
#[test]
fn what_programs_are_made_of() {
    let mut cargo = Command::new(env!("CARGO"));
    let tree = "tree --locked -p ioworkload -e normal,build --prefix depth --format";
    cargo.args(tree.split(' ')).arg(" {lib}");
    let tree = done(cargo.current_dir(root()));
    let wanted = [
        "0 ioworkload",
        "1 heapless",
        "2 hash32",
        "3 byteorder",
        "2 stable_deref_trait",
        "1 sc",
    ];
    assert_eq!(tree.lines().collect::<Vec<_>>(), wanted);
    let tree = unpacked(&RELEASES[0]);
    let licences = tree.path().join("share/doc/ioworkload/LICENSES-OF-CRATES");
    let licences = fs::read_to_string(licences).expect("a document");
    let listed = licences
        .lines()
        .filter_map(|line| line.strip_prefix("==== "));
    let listed: Vec<_> = listed.map(|line| line.split(' ').next()).collect();
    let crates = "byteorder hash32 heapless sc stable_deref_trait";
    assert_eq!(listed, crates.split(' ').map(Some).collect::<Vec<_>>());
}
