//! The file of checkpoints: only what moved, by many at once, torn, thinned, and for its owner only.

use super::thinning::{NEWEST, kept};
use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.create().unwrap();
    (folder, home)
}

fn end(seq: u64) -> Head {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&seq.to_be_bytes());
    Head { seq, hash }
}

fn tenant() -> Chain {
    Chain::Tenant("t1".into())
}

fn remembered(home: &Home) -> Vec<(Chain, u64)> {
    let points = read(home).unwrap();
    points
        .into_iter()
        .map(|point| (point.chain, point.head.seq))
        .collect()
}

#[test]
fn nothing_is_remembered_where_nothing_was_noted() {
    let (_folder, home) = home();
    assert_eq!(read(&home).unwrap(), []);
    note(&home, &[(Chain::Env, Head::NONE)], 1).unwrap();
    assert_eq!(read(&home).unwrap(), []);
}

#[test]
fn only_what_moved_is_added() {
    let (_folder, home) = home();
    note(&home, &[(Chain::System, end(3)), (tenant(), end(7))], 1_000).unwrap();
    note(&home, &[(Chain::System, end(3)), (tenant(), end(7))], 2_000).unwrap();
    note(&home, &[(Chain::System, end(3)), (tenant(), end(9))], 3_000).unwrap();
    assert_eq!(
        remembered(&home),
        [(Chain::System, 3), (tenant(), 7), (tenant(), 9)]
    );
    let text = std::fs::read_to_string(home.audit_checkpoints()).unwrap();
    assert_eq!(
        text.lines().last().unwrap(),
        r#"{"at":"1970-01-01T00:00:03Z","chain":"t1","seq":9,"head":"0000000000000009000000000000000000000000000000000000000000000000"}"#
    );
}

#[test]
fn an_end_that_went_back_is_added_and_what_was_before_stays() {
    let (_folder, home) = home();
    note(&home, &[(tenant(), end(9))], 1).unwrap();
    note(&home, &[(tenant(), end(4))], 2).unwrap();
    assert_eq!(remembered(&home), [(tenant(), 9), (tenant(), 4)]);
}

#[test]
fn a_torn_line_is_passed_by_and_swallows_no_other() {
    let (_folder, home) = home();
    note(&home, &[(tenant(), end(1))], 1).unwrap();
    let path = home.audit_checkpoints();
    let whole = std::fs::read(&path).unwrap();
    for torn in 1..whole.len() {
        std::fs::write(&path, [&whole[..], &whole[..torn]].concat()).unwrap();
        note(&home, &[(tenant(), end(2))], 2).unwrap();
        let found = remembered(&home);
        assert_eq!(found.first(), Some(&(tenant(), 1)), "torn at {torn}");
        assert_eq!(found.last(), Some(&(tenant(), 2)), "torn at {torn}");
    }
}

#[test]
fn lines_that_say_nothing_are_passed_by() {
    let (_folder, home) = home();
    let short_hash = r#"{"at":"1970-01-01T00:00:03Z","chain":"t1","seq":9,"head":"00"}"#;
    let no_time = format!(
        r#"{{"at":"soon","chain":"t1","seq":9,"head":"{}"}}"#,
        end(9).hash_hex()
    );
    let text = format!("\n\u{0}\nnull\n{{}}\n{short_hash}\n{no_time}\n");
    std::fs::write(home.audit_checkpoints(), text).unwrap();
    assert_eq!(read(&home).unwrap(), []);
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_also_after_thinning() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, home) = home();
    let mode = || {
        let about = std::fs::metadata(home.audit_checkpoints()).unwrap();
        about.permissions().mode() & 0o777
    };
    note(&home, &[(tenant(), end(1))], 1).unwrap();
    assert_eq!(mode(), 0o600);
    thin(&home, &open_lock(&home).unwrap()).unwrap();
    assert_eq!(mode(), 0o600);
    assert_eq!(remembered(&home), [(tenant(), 1)]);
}

#[test]
fn many_at_once_lose_nothing() {
    let (_folder, home) = home();
    std::thread::scope(|scope| {
        for writer in 0..8_u64 {
            let home = &home;
            scope.spawn(move || {
                let chain = Chain::Tenant(format!("t{writer}"));
                for seq in 1..=50 {
                    note(home, &[(chain.clone(), end(seq))], 1).unwrap();
                }
            });
        }
    });
    assert_eq!(remembered(&home).len(), 8 * 50);
}

#[test]
fn a_file_that_has_grown_is_thinned_and_still_knows_every_chains_end() {
    let (_folder, home) = home();
    let size = || std::fs::metadata(home.audit_checkpoints()).unwrap().len();
    note(&home, &[(Chain::System, end(5))], 0).unwrap();
    let (mut seq, mut largest) = (0, 0);
    while size() >= largest {
        largest = size();
        let lines: String = (0..500)
            .map(|_| {
                seq += 1;
                Checkpoint::end(moment(1_000_000), &tenant(), &end(seq)).line()
            })
            .collect();
        open_to_add(&home.audit_checkpoints())
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        seq += 1;
        note(&home, &[(tenant(), end(seq))], 1_000_000).unwrap();
        assert!(largest < 2 * THIN_ABOVE_BYTES, "never thinned");
    }
    let found = remembered(&home);
    assert_eq!(found.first(), Some(&(Chain::System, 5)));
    assert_eq!(found.last(), Some(&(tenant(), seq)));
    assert!(found.len() < 50, "{}", found.len());
}

fn point(chain: &Chain, day: i64, seq: u64) -> Checkpoint {
    Checkpoint {
        at: moment(day * 86_400_000 + i64::try_from(seq).unwrap()),
        chain: chain.clone(),
        head: end(seq),
        pruned: false,
        restored: None,
    }
}

#[test]
fn thinning_keeps_the_newest_and_the_first_of_each_of_the_last_days() {
    let points: Vec<_> = (0..200)
        .flat_map(|day| {
            (0..3).map(move |step| point(&tenant(), day, day.cast_unsigned() * 3 + step))
        })
        .collect();
    let left = kept(points);
    let newest = left.iter().rev().take(NEWEST).map(|point| point.head.seq);
    assert!(newest.eq((580..600).rev()));
    assert_eq!(left[0].head.seq, 300, "the first day of the last hundred");
    assert_eq!(
        left.len(),
        94 + NEWEST,
        "twenty lines cover seven days, one of them in part"
    );
}

#[test]
fn thinning_keeps_what_shows_a_cut_tail_however_old() {
    let mut points = vec![point(&tenant(), 0, 1)];
    points.push(point(&tenant(), 0, 500));
    points.extend((400..480).map(|seq| point(&tenant(), 0, seq)));
    let left = kept(points);
    assert!(left.iter().any(|point| point.head.seq == 500));
    assert_eq!(left.len(), 2 + NEWEST);
}

#[test]
fn thinning_leaves_little_however_many_chains_there_are_and_however_often_they_race() {
    let chains = 300;
    let points: Vec<_> = (0..30)
        .flat_map(|round: u64| (0..chains).map(move |chain| (round ^ 1, chain)))
        .map(|(seq, chain)| point(&Chain::Tenant(format!("t{chain}")), 0, seq))
        .collect();
    let left = kept(points);
    let of_each = left.len() / chains;
    assert!((2..=7).contains(&of_each), "{of_each}");
    for chain in 0..chains {
        let name = Chain::Tenant(format!("t{chain}"));
        let highest = left
            .iter()
            .filter(|point| point.chain == name)
            .map(|point| point.head.seq)
            .max();
        assert_eq!(highest, Some(29));
    }
}

#[test]
fn how_far_a_chain_was_pruned_is_known_after_thinning_and_covers_up_no_end() {
    let (_folder, home) = home();
    note(&home, &[(tenant(), end(9))], 1).unwrap();
    note_pruning(&home, &tenant(), &end(3), 2).unwrap();
    note_pruning(&home, &tenant(), &end(5), 3).unwrap();
    note(&home, &[(tenant(), end(9))], 4).unwrap();
    assert_eq!(
        remembered(&home),
        [(tenant(), 9), (tenant(), 3), (tenant(), 5)]
    );
    thin(&home, &open_lock(&home).unwrap()).unwrap();
    let left = read(&home).unwrap();
    let left: Vec<_> = left
        .iter()
        .map(|point| (point.head.seq, point.pruned))
        .collect();
    assert_eq!(left, [(9, false), (5, true)]);
}
