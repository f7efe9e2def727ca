//! What is no sound copy of ours, and what one wrong byte does.

use super::*;

/// Changes a copy by SQL, as somebody with another program might.
fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!("PRAGMA journal_mode=DELETE; {sql}"))
        .unwrap();
}

fn inspected(path: &Path) -> Result<Inspected, StateError> {
    State::open_copy(path)?.inspect()
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    assert_eq!(refused(&path).code(), "io");
    assert_eq!(refused(folder.path()).code(), "io");
    let contents: [&[u8]; 5] = [b"", b"x", b"SQLite format 3\0", &[0; 8192], &[b'x'; 8192]];
    for content in contents {
        fs::write(&path, content).unwrap();
        assert_eq!(refused(&path).code(), "corrupt", "{} bytes", content.len());
    }
    assert_eq!(names(folder.path()), ["a.db"]);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let (_file, path) = copied();
    tamper(&path, "PRAGMA application_id=7");
    assert_eq!(refused(&path).code(), "not_ours");
    let other = path.with_file_name("other.db");
    tamper(&other, "CREATE TABLE a (b)");
    assert_eq!(refused(&other).code(), "not_ours");
}

#[test]
fn a_newer_copy_is_used_when_its_author_says_so() {
    let (_file, path) = copied();
    tamper(&path, "PRAGMA user_version=99");
    assert_eq!(inspected(&path).unwrap().schema, 99);
    tamper(
        &path,
        "UPDATE meta SET value = 99 WHERE key = 'compatible_from'",
    );
    assert_eq!(refused(&path).code(), "newer");
}

/// What a forger might put in the place of a table.
#[test]
fn a_view_is_no_table() {
    let (_file, path) = copied();
    tamper(
        &path,
        "DROP TABLE epochs; CREATE VIEW epochs AS SELECT 't7' AS store_key, 9 AS epoch",
    );
    let copy = State::open_copy(&path).unwrap();
    let read = copy.read("test", |reading| epochs::read(reading, "t7"));
    assert_eq!(read.unwrap_err().code(), "unexpected");
}

#[test]
fn an_orphan_is_found() {
    let (_file, path) = copied();
    tamper(
        &path,
        "PRAGMA foreign_keys=OFF; DELETE FROM tenants WHERE id = 't7'",
    );
    let error = inspected(&path).unwrap_err();
    assert_eq!(error.code(), "corrupt");
    let said = "a row of stores refers to a row of tenants";
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn an_index_that_lies_is_found() {
    let (_file, path) = copied();
    let index_all_but = |key: &str| {
        let sql = format!(
            "PRAGMA writable_schema=ON;
             UPDATE sqlite_schema SET sql = substr(sql, 1, instr(sql, '<>') + 1) || ' ''{key}'''
              WHERE name = 'tenants_by_key';"
        );
        tamper(&path, &sql);
    };
    index_all_but("hidden");
    tamper(
        &path,
        "UPDATE tenants SET key_id = 'hidden' WHERE id = 't7'",
    );
    inspected(&path).unwrap();
    index_all_but("");
    let error = inspected(&path).unwrap_err();
    assert_eq!(error.code(), "corrupt", "{error}");
    assert!(error.to_string().contains("tenants_by_key"), "{error}");
}

#[test]
fn a_copy_that_is_cut_or_has_more_at_its_end_is_found() {
    let (_file, path) = copied();
    let whole = fs::read(&path).unwrap();
    let end = whole.len();
    for length in [
        1,
        99,
        100,
        512,
        4095,
        4096,
        8192,
        end / 2,
        end - 4096,
        end - 1,
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = inspected(&path).unwrap_err();
        assert_eq!(error.code(), "corrupt", "cut to {length}");
    }
    for more in [1, 4096] {
        fs::write(&path, [&whole[..], &vec![0; more]].concat()).unwrap();
        let error = inspected(&path).unwrap_err();
        assert_eq!(error.code(), "corrupt", "{more} more");
    }
}

/// Every row of every table.
fn content(copy: &State) -> Result<BTreeMap<String, Vec<String>>, StateError> {
    let tables = copy.inspect()?.rows.into_keys();
    let rows = |table: String| {
        copy.read("test", |reading| {
            let mut query = reading
                .conn()
                .prepare(&format!("SELECT * FROM \"{table}\""))?;
            let columns = query.column_count();
            let rows = query.query_map([], |row| {
                (0..columns)
                    .map(|at| Ok(format!("{:?}", row.get_ref(at)?)))
                    .collect::<Result<String, _>>()
            })?;
            Ok((table.clone(), rows.collect::<Result<_, _>>()?))
        })
    };
    tables.map(rows).collect()
}

/// Flips each byte by itself. It is found; or every row reads as before, because nothing uses that byte; or it stands within a value, which
/// only a hash of the whole file can find (backups have one in their manifest, audit records and sealed keys each their own).
#[test]
fn a_flipped_byte_is_found_or_changes_no_more_than_one_value() {
    let file = fresh();
    file.write(|writing| {
        tenants::insert(writing, &tenant("t1"))?;
        stores::insert(writing, &store("s1", "t1", "Tea"))?;
        epochs::bump(writing, "shop").map(|_| ())
    });
    let path = file.folder.path().join("a.db");
    file.state.copy_to(&path, &mut on).unwrap();
    let whole = fs::read(&path).unwrap();
    let before = content(&State::open_copy(&path).unwrap()).unwrap();
    let (mut found, mut harmless, mut values) = (0, 0, 0);
    let looked_at = |at: &usize| at % 4096 < 16 || (whole[*at] != 0 && at.is_multiple_of(3));
    for at in (0..whole.len()).filter(looked_at) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x55;
        fs::write(&path, flipped).unwrap();
        let after = State::open_copy(&path).and_then(|copy| content(&copy));
        let Ok(after) = after else {
            found += 1;
            continue;
        };
        let differ = |(table, rows): (&String, &Vec<String>)| {
            let was = &before[table];
            assert_eq!(rows.len(), was.len(), "byte {at}: rows of {table}");
            rows.iter().zip(was).filter(|(now, was)| now != was).count()
        };
        match after.iter().map(differ).sum() {
            0 => harmless += 1,
            1 => values += 1,
            rows => panic!("byte {at}: {rows} rows changed unnoticed"),
        }
    }
    assert!(
        found > 10 * values,
        "{found} found, {harmless} harmless, {values} within a value"
    );
}
