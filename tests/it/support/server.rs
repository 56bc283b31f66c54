//! Servers of our own on loopback: each in a folder of its own, which it takes with it when the test process ends, however that ends.

use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// The user that a server runs as when the tests run as root.
const USER: &str = "nobody";

/// What `try_start` gives for a port that is free and a folder for the server called `name`. Somebody may take the port between the
/// asking and the listening: where it gives none, it is asked again with another.
pub(crate) fn with_port<T>(name: &str, try_start: impl Fn(u16, &Path) -> Option<T>) -> T {
    let started = (0..10).find_map(|_| {
        let asked = TcpListener::bind("127.0.0.1:0").expect("ask for a port");
        let port = asked.local_addr().expect("the port").port();
        drop(asked);
        let folder = tempfile::Builder::new()
            .prefix(&format!("loa-{name}-"))
            .tempdir()
            .expect("make a directory")
            .keep();
        try_start(port, &folder)
    });
    started.unwrap_or_else(|| panic!("no port for {name}"))
}

/// Starts a server in a shell that ends it, and removes its folder, when this process ends in whatever way. As root it runs as
/// somebody else, who owns the folder. What it says ends when it does: the shell says nothing.
pub(crate) fn guarded(
    folder: &Path,
    program: &Path,
    arguments: &[&Path],
    arrange: impl FnOnce(&mut Command),
) -> (Child, ChildStdin) {
    let mut shell = if is_root() {
        let owned = Command::new("chown")
            .arg("-R")
            .arg(USER)
            .arg(folder)
            .status();
        assert!(owned.expect("run chown").success());
        let mut shell = Command::new("setpriv");
        // By number: what the group of nobody is called differs.
        shell.args(["--reuid", USER, "--regid", "65534", "--clear-groups"]);
        shell.args(["--", "/bin/sh"]);
        shell
    } else {
        Command::new("/bin/sh")
    };
    let script = r#"folder="$1"
        shift
        "$0" "$@" </dev/null & server=$!
        exec >/dev/null 2>&1
        trap '' INT
        read -r _
        kill $server
        wait $server
        rm -rf "$folder""#;
    shell
        .current_dir("/")
        .arg("-c")
        .arg(script)
        .arg(program)
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // What stops the tests from the keyboard must not stop the cleaning up.
        .process_group(0);
    arrange(&mut shell);
    let mut watchdog = shell.spawn().expect("start the server");
    let input = watchdog.stdin.take().expect("the pipe that was asked for");
    (watchdog, input)
}

/// Whether the tests run as root, which many servers refuse to do.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("run id");
    id.stdout.trim_ascii() == b"0"
}
