//! `loa plan --diff` against revisions of git, with git itself.

use std::{path::Path, process::Command};

use super::{WEEK, compare, shown};
use crate::support::{
    cli::loa,
    workspace::{Folder, SCHEDULES},
};

fn git(folder: &Path, arguments: &[&str]) {
    let ended = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Thử", "-c", "user.email=thu@vinh.example"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(ended.status.success(), "git {arguments:?}: {ended:?}");
}

#[test]
fn a_revision_of_git_is_compared_with_what_lies_in_the_folder() {
    let folder = Folder::small();
    git(&folder.path(), &["init", "-q"]);
    git(&folder.path(), &["add", "."]);
    git(&folder.path(), &["commit", "-qm", "Bắt đầu"]);
    assert_eq!(compare(&folder, "HEAD", &[]).code, 0);
    folder.edit("schedules/lich.yaml", "05:30", "06:00");
    let said = compare(&folder, "HEAD", &["--format", "json"]);
    assert_eq!((said.code, shown(&said).len()), (1, 15), "{said:?}");
    git(&folder.path(), &["commit", "-qam", "Đổi giờ"]);
    git(&folder.path(), &["tag", "-am", "Một", "v1"]);
    for revision in ["HEAD", "main", "v1"] {
        assert_eq!(compare(&folder, revision, &[]).code, 0, "{revision}");
    }
    for revision in ["HEAD~1", "main^", "v1~1", "HEAD@{1}"] {
        let said = compare(&folder, revision, &["--format", "json"]);
        assert_eq!(shown(&said).len(), 15, "{revision}: {said:?}");
    }
    let text = compare(&folder, "HEAD~1", &[]);
    assert!(text.out.contains("so với HEAD~1 ("), "{}", text.out);
    // Nothing is left behind, in the folder or in git.
    let status = Command::new("git")
        .arg("-C")
        .arg(folder.path())
        .args(["status", "--porcelain"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stdout), "");
}

#[test]
fn a_workspace_may_be_a_folder_of_its_repository() {
    let repository = tempfile::tempdir().unwrap();
    let folder = Folder::small();
    git(repository.path(), &["init", "-q"]);
    let inside = repository.path().join("vinh/noi dung");
    std::fs::create_dir_all(inside.parent().unwrap()).unwrap();
    // Something in the way: the repository's own root looks like a workspace, too.
    std::fs::write(repository.path().join("loa.yaml"), "name: khác\n").unwrap();
    git(repository.path(), &["add", "."]);
    git(repository.path(), &["commit", "-qm", "Trước đó"]);
    let copied = Command::new("cp")
        .arg("-r")
        .arg(folder.path())
        .arg(&inside)
        .status();
    assert!(copied.unwrap().success());
    git(repository.path(), &["add", "."]);
    git(repository.path(), &["commit", "-qm", "Có bộ nội dung"]);
    let schedules = inside.join("schedules/lich.yaml");
    std::fs::write(&schedules, SCHEDULES.replace("05:30", "06:00")).unwrap();
    let run = |revision: &str| {
        let arguments = [&["plan", "--format", "json", "--diff", revision][..], &WEEK].concat();
        loa(&inside, &arguments)
    };
    let said = run("HEAD");
    assert_eq!((said.code, shown(&said).len()), (1, 15), "{said:?}");
    let said = run("HEAD~1");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("chưa có thư mục"), "{}", said.err);
}

#[test]
fn what_cannot_be_compared_is_said_in_the_readers_language() {
    let folder = Folder::small();
    let said = compare(&folder, "HEAD", &[]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("không nằm trong kho git nào"),
        "{}",
        said.err
    );
    git(&folder.path(), &["init", "-q"]);
    git(&folder.path(), &["add", "."]);
    git(&folder.path(), &["commit", "-qm", "Bắt đầu"]);
    let trap = folder.path().join("trap");
    let output = format!("--output={}", trap.display());
    for revision in [
        "khong-co",
        "-h",
        "--help",
        &output,
        "",
        "HEAD:loa.yaml",
        "--all",
    ] {
        let said = compare(&folder, revision, &[]);
        assert_eq!(said.code, 2, "{revision}: {said:?}");
        assert!(
            said.err.contains("không có bản"),
            "{revision}: {}",
            said.err
        );
    }
    assert!(!trap.exists());
    // Without git there is no revision, but there are folders.
    let run = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_loa"))
            .args(["plan", "--diff", name, "--dir"])
            .arg(folder.path())
            .env("PATH", folder.path())
            .output()
            .unwrap()
    };
    let said = run("HEAD");
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("Không có chương trình git"));
    let other = Folder::small();
    assert_eq!(
        run(&other.path().display().to_string()).status.code(),
        Some(0)
    );
}
