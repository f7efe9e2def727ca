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

fn restored(epoch: u64, ends: &[(Chain, u64)]) -> Restored {
    let heads = ends.iter().map(|(chain, seq)| (chain.clone(), end(*seq)));
    Restored {
        epoch,
        heads: heads.collect(),
        pruned: Vec::new(),
    }
}

/// What counts in a file that was restored so often: chain and number.
fn counting(home: &Home, epoch: u64) -> Vec<(Chain, u64)> {
    let points = read(home).unwrap();
    in_force(&points, epoch)
        .map(|point| (point.chain.clone(), point.head.seq))
        .collect()
}

#[test]
fn from_a_restore_on_only_what_it_left_and_what_came_after_counts() {
    let (_folder, home) = home();
    note(&home, &[(tenant(), end(9)), (Chain::System, end(4))], 1).unwrap();
    let left = restored(1, &[(tenant(), 5), (Chain::System, 3)]);
    note_restore(&home, &left, 2).unwrap();
    note(&home, &[(tenant(), end(6))], 3).unwrap();
    assert_eq!(
        counting(&home, 1),
        [(Chain::System, 3), (tenant(), 5), (tenant(), 6)]
    );
    let not_restored = [(tenant(), 9), (Chain::System, 4), (tenant(), 6)];
    assert_eq!(
        counting(&home, 0),
        not_restored,
        "it was noted and not done"
    );
}

#[test]
fn two_attempts_at_one_restore_are_told_apart_by_a_clock_that_stands_still() {
    let (_folder, home) = home();
    let other = Chain::Tenant("t0".to_owned());
    let first = restored(1, &[(Chain::System, 1), (other, 2), (tenant(), 9)]);
    note_restore(&home, &first, 7).unwrap();
    note_restore(&home, &restored(1, &[(Chain::System, 3)]), 7).unwrap();
    assert_eq!(counting(&home, 1), [(Chain::System, 3)]);
}

#[test]
fn where_a_restored_chain_begins_replaces_what_was_pruned_before() {
    let (_folder, home) = home();
    note_pruning(&home, &tenant(), &end(8), 1).unwrap();
    let left = Restored {
        pruned: vec![(tenant(), end(2))],
        ..restored(1, &[(tenant(), 5)])
    };
    note_restore(&home, &left, 2).unwrap();
    let points = read(&home).unwrap();
    let prunings: Vec<u64> = in_force(&points, 1)
        .filter(|point| point.pruned)
        .map(|point| point.head.seq)
        .collect();
    assert_eq!(prunings, [2]);
}

#[test]
fn what_was_before_a_restore_goes_once_another_has_followed() {
    let (_folder, home) = home();
    note(&home, &[(tenant(), end(9))], 1).unwrap();
    note_pruning(&home, &tenant(), &end(3), 1).unwrap();
    for epoch in 1..=3 {
        note_restore(&home, &restored(epoch, &[(tenant(), 10 * epoch)]), 2).unwrap();
        note(&home, &[(tenant(), end(10 * epoch + 1))], 3).unwrap();
        note_pruning(&home, &tenant(), &end(10 * epoch - 1), 3).unwrap();
    }
    let before: Vec<_> = (0..=3).map(|epoch| counting(&home, epoch)).collect();
    thin(&home, &open_lock(&home).unwrap()).unwrap();
    assert_eq!(
        remembered(&home),
        [20, 21, 19, 30, 31, 29].map(|seq| (tenant(), seq)),
        "the last may have been noted and not done"
    );
    assert_eq!(counting(&home, 2), before[2]);
    assert_eq!(counting(&home, 3), before[3]);
}
