use std::io::Read;
use std::num::NonZero;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const START: Duration = Duration::from_secs(1_700_000_000);

/// A folder for `flows.jsonl`, with a clock.
struct Folder {
    folder: TempDir,
    now: SystemTime,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), now: SystemTime::UNIX_EPOCH + START }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("flows.jsonl")
    }

    fn config(&self) -> FileConfig {
        FileConfig::new(self.path())
    }

    fn open(&self, config: FileConfig) -> FileWriter {
        FileWriter::open(config, self.now).unwrap()
    }

    /// Names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// What all files hold, in the order of their names: times are before the dot of the extension.
    fn all(&self) -> String {
        self.names().iter().map(|name| self.read(name)).collect()
    }

    fn pass(&mut self, seconds: i64) {
        let step = Duration::from_secs(seconds.unsigned_abs());
        self.now = if seconds < 0 { self.now - step } else { self.now + step };
    }
}

fn line(number: usize) -> String {
    format!("{{\"line\":{number}}}\n")
}

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(line).collect()
}

fn write(writer: &mut FileWriter, numbers: std::ops::Range<usize>, now: SystemTime) {
    for number in numbers {
        writer.write(line(number).as_bytes(), now).unwrap();
    }
}

fn limited(config: FileConfig, max_bytes: u64) -> FileConfig {
    FileConfig { max_bytes: NonZero::new(max_bytes), ..config }
}

#[test]
fn without_limits_there_is_one_file() {
    let mut folder = Folder::new();
    write(&mut folder.open(folder.config()), 0..5, folder.now);
    folder.pass(1_000_000);
    write(&mut folder.open(folder.config()), 5..10, folder.now);
    assert_eq!(folder.names(), ["flows.jsonl"]);
    assert_eq!(folder.all(), lines(0..10));
}

#[test]
fn a_file_that_is_full_is_renamed_and_no_line_is_cut() {
    let folder = Folder::new();
    let mut writer = folder.open(limited(folder.config(), 3 * line(0).len() as u64 + 1));
    write(&mut writer, 0..10, folder.now);
    assert_eq!(
        folder.names(),
        [
            "flows-20231114T221320.000Z.jsonl",
            "flows-20231114T221320.001Z.jsonl",
            "flows-20231114T221320.002Z.jsonl",
            "flows.jsonl",
        ]
    );
    assert_eq!(folder.read("flows-20231114T221320.001Z.jsonl"), lines(3..6));
    assert_eq!(folder.read("flows.jsonl"), lines(9..10));
    assert_eq!(folder.all(), lines(0..10));
}

#[test]
fn a_line_beyond_the_limit_has_a_file_of_its_own() {
    let folder = Folder::new();
    let mut writer = folder.open(limited(folder.config(), 5));
    write(&mut writer, 0..3, folder.now);
    assert_eq!(folder.names().len(), 3);
    assert_eq!(folder.all(), lines(0..3));
}

#[test]
fn a_file_ages_from_its_first_line() {
    let mut folder = Folder::new();
    let mut writer = folder.open(FileConfig { max_age: Some(Duration::from_secs(60)), ..folder.config() });
    folder.pass(1000);
    write(&mut writer, 0..1, folder.now);
    folder.pass(59);
    write(&mut writer, 1..2, folder.now);
    assert_eq!(folder.names(), ["flows.jsonl"]);
    folder.pass(1);
    write(&mut writer, 2..3, folder.now);
    assert_eq!(folder.names(), ["flows-20231114T223100.000Z.jsonl", "flows.jsonl"]);
    assert_eq!(folder.read("flows.jsonl"), lines(2..3));
    // The clock is set back for an hour; the file ages from then on.
    folder.pass(-3600);
    write(&mut writer, 3..4, folder.now);
    folder.pass(60);
    write(&mut writer, 4..5, folder.now);
    assert_eq!(
        folder.names(),
        ["flows-20231114T223100.000Z.jsonl", "flows-20231114T223100.001Z.jsonl", "flows.jsonl"],
        "names keep the order"
    );
    assert_eq!(folder.all(), lines(0..5));
}

/// By its time of creation, which every common file system has; its last change where there is none.
#[test]
fn a_file_that_was_there_has_an_age() {
    let mut folder = Folder::new();
    folder.now = SystemTime::now();
    let config = FileConfig { max_age: Some(Duration::from_secs(3600)), ..folder.config() };
    write(&mut folder.open(config.clone()), 0..1, folder.now);
    folder.pass(3000);
    write(&mut folder.open(config.clone()), 1..2, folder.now);
    assert_eq!(folder.names().len(), 1);
    folder.pass(1000);
    write(&mut folder.open(config), 2..3, folder.now);
    assert_eq!(folder.names().len(), 2);
    assert_eq!(folder.all(), lines(0..3));
}

#[test]
fn the_oldest_files_are_deleted_and_nobody_elses() {
    let folder = Folder::new();
    let foreign = [
        "flows-20000101T000000.000Z.json",
        "flows-20000101T000000.000Z.jsonl.bak",
        "flows-20001301T000000.000Z.jsonl",
        "flows-old.jsonl",
        "other-20000101T000000.000Z.jsonl",
    ];
    for name in foreign {
        fs::write(folder.folder.path().join(name), "").unwrap();
    }
    fs::create_dir(folder.folder.path().join("flows-20000101T000000.000Z.jsonl")).unwrap();
    let config = limited(folder.config(), line(0).len() as u64);
    write(&mut folder.open(config.clone()), 0..6, folder.now);
    let ours = |folder: &Folder| -> Vec<String> {
        folder.names().into_iter().filter(|name| name.starts_with("flows-2023")).collect()
    };
    assert_eq!(ours(&folder).len(), 5, "all are kept");
    let config = FileConfig { max_files: NonZero::new(2), ..config };
    let mut writer = folder.open(config);
    assert_eq!(ours(&folder), ["flows-20231114T221320.003Z.jsonl", "flows-20231114T221320.004Z.jsonl"]);
    write(&mut writer, 6..8, folder.now);
    assert_eq!(ours(&folder), ["flows-20231114T221320.005Z.jsonl", "flows-20231114T221320.006Z.jsonl"]);
    assert_eq!(folder.read("flows-20231114T221320.006Z.jsonl") + &folder.read("flows.jsonl"), lines(6..8));
    assert_eq!(folder.names().len(), foreign.len() + 1 + 2 + 1);
}

/// A machine without a clock of its own starts in 1970: what it writes then is not the oldest.
#[test]
fn names_follow_those_that_are_there() {
    let folder = Folder::new();
    let mut config = limited(folder.config(), line(0).len() as u64);
    write(&mut folder.open(config.clone()), 0..3, folder.now);
    config.max_files = NonZero::new(1);
    let mut writer = folder.open(config);
    write(&mut writer, 3..4, SystemTime::UNIX_EPOCH);
    assert_eq!(folder.names(), ["flows-20231114T221320.002Z.jsonl", "flows.jsonl"]);
    assert_eq!(folder.all(), lines(2..4));
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::new();
    let taken = folder.folder.path().join("flows-20231114T221320.000Z.jsonl");
    fs::create_dir(&taken).unwrap();
    let mut writer = folder.open(limited(folder.config(), line(0).len() as u64));
    write(&mut writer, 0..2, folder.now);
    assert!(taken.is_dir());
    assert_eq!(folder.read("flows-20231114T221320.001Z.jsonl"), line(0));
}

/// As logrotate does it, with and without `create`, and with `copytruncate`.
#[test]
fn a_file_that_others_move_or_remove_is_begun_anew() {
    let folder = Folder::new();
    let path = folder.path();
    let mut writer = folder.open(folder.config());
    write(&mut writer, 0..2, folder.now);
    fs::rename(&path, path.with_extension("1")).unwrap();
    write(&mut writer, 2..4, folder.now);
    assert_eq!((folder.read("flows.1"), folder.read("flows.jsonl")), (lines(0..2), lines(2..4)));
    fs::remove_file(&path).unwrap();
    write(&mut writer, 4..6, folder.now);
    assert_eq!(folder.read("flows.jsonl"), lines(4..6));
    fs::rename(&path, path.with_extension("2")).unwrap();
    fs::write(&path, "").unwrap();
    write(&mut writer, 6..8, folder.now);
    assert_eq!((folder.read("flows.2"), folder.read("flows.jsonl")), (lines(4..6), lines(6..8)));
    OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    write(&mut writer, 8..9, folder.now);
    assert_eq!(folder.read("flows.jsonl"), line(8));
}

/// The name of the renamed file is longer than a name may be.
#[test]
fn a_file_that_cannot_be_renamed_is_written_on() {
    let folder = Folder::new();
    let path = folder.folder.path().join("f".repeat(250));
    let mut writer = folder.open(limited(FileConfig::new(&path), line(0).len() as u64));
    write(&mut writer, 0..5, folder.now);
    assert_eq!(folder.names().len(), 1);
    assert_eq!(folder.all(), lines(0..5));
    assert_eq!(writer.trouble.permit(), None, "it was said once");
}

/// The folder is renamed: the file is still there, and a new one cannot be made.
#[test]
fn a_file_that_was_moved_with_its_folder_is_written_on() {
    let root = tempfile::tempdir().unwrap();
    let [folder, moved] = [root.path().join("a"), root.path().join("b")];
    fs::create_dir(&folder).unwrap();
    let now = SystemTime::UNIX_EPOCH + START;
    let config = limited(FileConfig::new(folder.join("flows.jsonl")), line(0).len() as u64);
    let mut writer = FileWriter::open(config, now).unwrap();
    write(&mut writer, 0..1, now);
    fs::rename(&folder, &moved).unwrap();
    write(&mut writer, 1..3, now);
    assert_eq!(fs::read_to_string(moved.join("flows.jsonl")).unwrap(), lines(0..3));
    fs::create_dir(&folder).unwrap();
    write(&mut writer, 3..4, now);
    assert_eq!(fs::read_to_string(folder.join("flows.jsonl")).unwrap(), line(3));
}

/// What would go to a file that is no longer in any folder is lost, and must not count as written.
#[test]
fn a_folder_that_is_gone_is_an_error_until_it_is_back() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("a");
    fs::create_dir(&folder).unwrap();
    let now = SystemTime::UNIX_EPOCH + START;
    let mut writer = FileWriter::open(FileConfig::new(folder.join("flows.jsonl")), now).unwrap();
    write(&mut writer, 0..1, now);
    fs::remove_dir_all(&folder).unwrap();
    for _ in 0..2 {
        assert_eq!(writer.write(b"lost\n", now).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
    fs::create_dir(&folder).unwrap();
    write(&mut writer, 1..2, now);
    assert_eq!(fs::read_to_string(folder.join("flows.jsonl")).unwrap(), line(1));
}

#[test]
fn a_write_that_failed_half_way_is_taken_back() {
    let folder = Folder::new();
    let mut writer = folder.open(folder.config());
    write(&mut writer, 0..2, folder.now);
    // As a full disk leaves it when the half line could not be cut off at once.
    let len = fs::metadata(folder.path()).unwrap().len();
    writer.current.file.write_all(b"{\"li").unwrap();
    writer.current.torn = Some(len);
    write(&mut writer, 2..4, folder.now);
    assert_eq!(folder.all(), lines(0..4));
}

#[test]
fn a_line_without_an_end_gets_one() {
    let folder = Folder::new();
    fs::write(folder.path(), "{\"li").unwrap();
    write(&mut folder.open(folder.config()), 0..1, folder.now);
    assert_eq!(folder.all(), "{\"li\n{\"line\":0}\n");
}

#[test]
fn devices_are_only_written_to() {
    let config = limited(FileConfig { max_files: NonZero::new(1), ..FileConfig::new("/dev/null") }, 1);
    let mut writer = FileWriter::open(config, SystemTime::UNIX_EPOCH).unwrap();
    write(&mut writer, 0..3, SystemTime::UNIX_EPOCH);
    let mut full = FileWriter::open(FileConfig::new("/dev/full"), SystemTime::UNIX_EPOCH).unwrap();
    let error = full.write(b"lost\n", SystemTime::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

fn zstd(config: FileConfig) -> FileConfig {
    FileConfig { compression: FileCompression::Zstd, ..config }
}

/// As `zstdcat` reads it; fails where a frame has no end.
fn unpack(path: impl AsRef<Path>) -> String {
    let mut text = String::new();
    zstd::stream::read::Decoder::new(File::open(path).unwrap()).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_compressed_file_is_whole_after_every_line_and_every_start() {
    let folder = Folder::new();
    for start in 0..3 {
        let mut writer = folder.open(zstd(folder.config()));
        for number in 5 * start..5 * start + 5 {
            write(&mut writer, number..number + 1, folder.now);
            assert_eq!(unpack(folder.path()), lines(0..number + 1));
        }
    }
    assert_eq!(folder.names(), ["flows.jsonl"]);
}

#[test]
fn the_limit_is_for_what_is_in_the_file() {
    let folder = Folder::new();
    let mut writer = folder.open(limited(zstd(folder.config()), 400));
    let line = format!("{}\n", "a".repeat(300));
    for _ in 0..20 {
        writer.write(line.as_bytes(), folder.now).unwrap();
    }
    let files = folder.names();
    assert!((2..5).contains(&files.len()), "{files:?}");
    let mut all = String::new();
    for name in files {
        let path = folder.folder.path().join(name);
        assert!(fs::metadata(&path).unwrap().len() <= 400);
        all.push_str(&unpack(path));
    }
    assert_eq!(all, line.repeat(20));
}

/// A program that was killed in the middle of a write, and a setting that was changed.
#[test]
fn what_cannot_be_appended_to_is_renamed() {
    let renamed = "flows-20231114T221320.000Z.jsonl";
    let folder = Folder::new();
    write(&mut folder.open(zstd(folder.config())), 0..2, folder.now);
    let mut bytes = fs::read(folder.path()).unwrap();
    bytes.pop();
    fs::write(folder.path(), &bytes).unwrap();
    write(&mut folder.open(zstd(folder.config())), 2..3, folder.now);
    assert_eq!(unpack(folder.path()), line(2));
    assert_eq!(fs::read(folder.folder.path().join(renamed)).unwrap(), bytes);

    write(&mut folder.open(folder.config()), 3..4, folder.now);
    assert_eq!(folder.read("flows.jsonl"), line(3));
    write(&mut folder.open(zstd(folder.config())), 4..5, folder.now);
    assert_eq!(unpack(folder.path()), line(4));
    assert_eq!(folder.names().len(), 4);
}
