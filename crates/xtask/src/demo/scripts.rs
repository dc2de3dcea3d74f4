//! The scripts, with commands that only say how they were called.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{executable, folder};

/// What scripts may take from the machine that runs the tests. They find nothing else of it.
const OF_THE_MACHINE: [&str; 8] = ["bash", "cat", "dirname", "grep", "head", "sed", "sort", "stat"];

/// All the commands that scripts find: each says in a file how it was called, and does what its line says.
struct Commands {
    folder: TempDir,
}

impl Commands {
    fn new(commands: &[(&str, &str)]) -> Self {
        let commands_folder = Self { folder: TempDir::new().unwrap() };
        for name in OF_THE_MACHINE {
            symlink(Path::new("/usr/bin").join(name), commands_folder.path().join(name)).unwrap();
        }
        for (name, line) in commands {
            commands_folder.set(name, line);
        }
        commands_folder
    }

    fn set(&self, name: &str, line: &str) {
        let path = self.path().join(name);
        // Not through a link to a command of the machine.
        let _ = fs::remove_file(&path);
        let calls = self.path().join("calls");
        fs::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >> {}\n{line}\n", calls.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Output {
        self.run_in(&folder(), script, arguments)
    }

    /// A script of another folder than that of the repository.
    fn run_in(&self, folder: &Path, script: &str, arguments: &[&str]) -> Output {
        let script = folder.join(script);
        assert!(executable(&script));
        let mut command = Command::new(script);
        command.args(arguments).env("PATH", self.path()).env("OS_RELEASE", self.path().join("os-release"));
        command.output().unwrap()
    }

    /// How they were called since the last time.
    fn calls(&self) -> Vec<String> {
        let path = self.path().join("calls");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }
}

/// What would change a machine, and what a machine is asked.
const CHANGING: [&str; 9] = [
    "dnf",
    "mount",
    "install",
    "systemd-sysusers",
    "systemd-tmpfiles",
    "systemctl",
    "restorecon",
    "chmod",
    "firewall-cmd",
];

/// A machine of the RHEL 9 family on which everything is still to do, or nothing.
fn machine(is_ready: bool) -> Commands {
    let commands = Commands::new(&CHANGING.map(|name| (name, "")));
    fs::write(commands.path().join("os-release"), "ID=rocky\nVERSION_ID=9.6\nID_LIKE='rhel centos fedora'\n").unwrap();
    let answer = if is_ready { "exit 0" } else { "exit 1" };
    for name in ["rpm", "cmp", "getent"] {
        commands.set(name, answer);
    }
    commands.set("id", "echo 0");
    commands.set("getenforce", "echo Enforcing");
    commands.set("uname", if is_ready { "echo 6.1.0-1" } else { "echo 5.14.0-70.el9.x86_64" });
    commands.set("sysctl", "echo 2");
    // Of curl-minimal, which dnf does not replace by itself.
    commands.set("curl", "");
    commands.set("dnf", "case \" $* \" in *' curl '*) exit 1 ;; esac");
    if is_ready {
        for name in ["podman", "bpftool", "podman-compose"] {
            commands.set(name, "");
        }
        commands.set(
            "stat",
            "case \"$*\" in *%T*) echo bpf_fs ;; *%C*) echo system_u:object_r:bin_t:s0 ;; *) echo 755 ;; esac",
        );
    } else {
        commands.set("docker", "exit 1");
        commands.set(
            "stat",
            "case \"$*\" in *%T*) echo sysfs ;; *%C*) echo x:object_r:user_home_t:s0 ;; *) echo 640 ;; esac",
        );
        commands.set("firewall-cmd", "case \"$*\" in *query*) exit 1 ;; esac");
    }
    commands
}

fn lines(output: &Output, start: &str) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().filter_map(|line| Some(line.strip_prefix(start)?.to_owned())).collect()
}

/// Calls that change something.
fn changes(commands: &Commands) -> Vec<String> {
    let is_change = |call: &String| {
        let name = call.split(' ').next().unwrap();
        CHANGING.contains(&name) && !call.contains("--state") && !call.contains("--query")
    };
    commands.calls().into_iter().filter(is_change).collect()
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let commands = machine(false);
    let program = commands.path().join("id");
    let arguments = ["--open", "--program", program.to_str().unwrap()];
    let dry = commands.run("setup-rhel9.sh", &[&arguments[..], &["--dry-run"]].concat());
    assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
    assert_eq!(changes(&commands), [""; 0]);
    let real = commands.run("setup-rhel9.sh", &arguments);
    assert!(real.status.success(), "{}", String::from_utf8_lossy(&real.stderr));
    let said = lines(&dry, "would run: ");
    assert_eq!(said, lines(&real, "run: "));
    assert_eq!(said, changes(&commands));
    for expected in [
        "dnf install -y epel-release",
        "dnf install -y podman bpftool podman-compose",
        "mount -t bpf bpf /sys/fs/bpf",
        "systemd-sysusers netflow2traces-xdp.conf",
        "systemctl daemon-reload",
        "restorecon -v /usr/bin/netflow2traces",
        "firewall-cmd --quiet --permanent --add-port=3000/tcp",
        "firewall-cmd --quiet --reload",
    ] {
        assert!(said.iter().any(|line| line == expected), "no {expected} in {said:#?}");
    }
    assert!(said.iter().any(|line| line.starts_with("chmod o+rX ")), "{said:#?}");
}

#[test]
fn what_is_there_stays_as_it_is() {
    let commands = machine(true);
    let program = commands.path().join("id");
    let output = commands.run("setup-rhel9.sh", &["--program", program.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // This directory is the one thing that is asked of the machine itself.
    let changes: Vec<_> = changes(&commands).into_iter().filter(|call| !call.contains("tmpfiles")).collect();
    assert_eq!(changes, [""; 0]);
    assert!(lines(&output, "ok: ").len() > 10);
}

#[test]
fn only_commands_that_are_missing_are_installed() {
    let commands = machine(true);
    fs::remove_file(commands.path().join("bpftool")).unwrap();
    // The package is another one than the command's name says.
    commands.set("rpm", "case \"$*\" in *curl*) exit 1 ;; esac");
    let output = commands.run("setup-rhel9.sh", &["--dry-run"]);
    let installs: Vec<_> = lines(&output, "would run: ").into_iter().filter(|line| line.starts_with("dnf")).collect();
    assert_eq!(installs, ["dnf install -y bpftool"]);
    fs::remove_file(commands.path().join("curl")).unwrap();
    let output = commands.run("setup-rhel9.sh", &["--dry-run"]);
    assert!(lines(&output, "would run: ").contains(&"dnf install -y bpftool curl".to_owned()));
}

#[test]
fn kernels_that_want_a_capability_of_who_reads_pins_are_named() {
    let commands = machine(true);
    for (release, unprivileged, warned) in [
        ("5.14.0-70.el9.x86_64", "2", true),
        ("5.18.19", "1", true),
        ("5.14.0-70.el9.x86_64", "0", false),
        ("5.19.0", "2", false),
        ("6.1.0-1", "2", false),
    ] {
        commands.set("uname", &format!("echo {release}"));
        commands.set("sysctl", &format!("echo {unprivileged}"));
        let output = commands.run("setup-rhel9.sh", &["--dry-run"]);
        assert!(output.status.success());
        let errors = String::from_utf8(output.stderr).unwrap();
        let said = format!("reading pins takes CAP_BPF while kernel.unprivileged_bpf_disabled is {unprivileged}");
        assert_eq!(errors.contains(&said), warned, "{release} {unprivileged}: {errors}");
    }
}

/// As `git clone` makes files with umask 077.
#[test]
fn containers_may_read_what_is_closed_to_others() {
    let commands = machine(true);
    commands.set("chmod", "exec /usr/bin/chmod \"$@\"");
    commands.set(
        "stat",
        "case \"$*\" in *%T*) echo bpf_fs ;; *%C*) echo x:bin_t:s0 ;; *) exec /usr/bin/stat \"$@\" ;; esac",
    );
    let copy = TempDir::new().unwrap();
    let dashboards = copy.path().join("dashboards");
    fs::create_dir(&dashboards).unwrap();
    let mut files = vec![dashboards.join("xdp.json")];
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.extend(entries.map(|path| copy.path().join(path.file_name().unwrap())));
    for file in &files {
        fs::copy(folder().join(file.strip_prefix(&copy).unwrap()), file).unwrap();
        let is_script = file.extension().is_some_and(|end| end == "sh");
        fs::set_permissions(file, fs::Permissions::from_mode(if is_script { 0o755 } else { 0o600 })).unwrap();
    }
    fs::set_permissions(&dashboards, fs::Permissions::from_mode(0o700)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let output = commands.run_in(copy.path(), "setup-rhel9.sh", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((mode(&dashboards), mode(&dashboards.join("xdp.json"))), (0o705, 0o604));
    assert_eq!(mode(&copy.path().join("prometheus.yml")), 0o604);
    commands.calls();
    commands.run_in(copy.path(), "setup-rhel9.sh", &[]);
    assert!(!commands.calls().iter().any(|call| call.starts_with("chmod")));
}

/// A machine on which everything is well.
fn stack() -> Commands {
    let answer =
        r#"echo '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}'"#;
    let curl = format!("case \"$*\" in *8889*) echo 'xdp_xdp_packets_total{{job=\"a\"}} 7' ;; *) {answer} ;; esac");
    Commands::new(&[("netflow2traces", ""), ("timeout", ""), ("curl", &curl)])
}

fn verify(commands: &Commands) -> Output {
    // A file that anybody may read stands for a pin.
    commands.run("test-setup.sh", &["--pin", "/dev/null", "--collector", "collector.example:4317"])
}

#[test]
fn all_is_well() {
    let commands = stack();
    let output = verify(&commands);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let calls = commands.calls();
    assert!(calls.contains(&"netflow2traces xdp read --pin /dev/null".to_owned()), "{calls:?}");
    assert!(
        calls.iter().any(|call| call.starts_with("timeout 5") && call.ends_with("collector.example 4317")),
        "{calls:?}"
    );
    assert!(lines(&output, "ok: ").iter().any(|line| line == "Prometheus answers rate(xdp_xdp_bytes_total[1m])"));
}

#[test]
fn each_failure_is_named() {
    for (name, line, failed) in [
        ("netflow2traces", "echo 'error: there is no map' >&2; exit 1", "the map is found (--pin /dev/null)"),
        ("timeout", "exit 1", "the Collector listens at collector.example:4317"),
        ("curl", "exit 7", "the Collector has metrics at http://localhost:8889/metrics"),
        ("curl", "echo '{\"data\":{\"result\":[]}}'", "Prometheus reads the Collector"),
    ] {
        let commands = stack();
        commands.set(name, line);
        let output = verify(&commands);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            lines(&output, "FAILED: ").iter().any(|line| line == failed),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn a_dry_run_of_verify_asks_nobody() {
    let commands = stack();
    let output = commands.run("test-setup.sh", &["--dry-run"]);
    assert!(output.status.success() && lines(&output, "would check: ").len() > 8);
    assert_eq!(commands.calls(), [""; 0]);
}

#[test]
fn wrong_options_are_refused() {
    let commands = Commands::new(&[]);
    for script in ["test-setup.sh", "setup-rhel9.sh"] {
        assert_eq!(commands.run(script, &["--wrong"]).status.code(), Some(2), "{script}");
    }
}
