//! What becomes of an intent whose write is left in the middle.

use parking_lot::Mutex;
use shared::audit::Chain;
use shared::session::SessionId;

use super::*;

/// Remembers every outcome that it is told.
#[derive(Debug, Default)]
struct Book {
    ends: Mutex<Vec<audit::Outcome>>,
}

impl Journal for Book {
    fn session(&self) -> Option<SessionId> {
        None
    }

    fn begin(&self, _intent: &Intent, _turn: &Turn) -> Result<Begun, JournalError> {
        Err(JournalError::TurnLost)
    }

    fn end(
        &self,
        _begun: &Begun,
        outcome: audit::Outcome,
        _turn: Option<&Turn>,
    ) -> Result<(), JournalError> {
        self.ends.lock().push(outcome);
        Ok(())
    }
}

fn open(book: &Arc<Book>, under_way: &Arc<UnderWay>) -> Open {
    let stage = Arc::new(Stage::default());
    stage.commit(under_way).unwrap();
    let begun = Begun {
        chain: Chain::Env,
        seq: 1,
        store_key: "store".to_owned(),
        action: audit::action::ORDER_UPDATED,
        target: "order 7001001".to_owned(),
    };
    let journal: Arc<dyn Journal> = Arc::<Book>::clone(book);
    Open {
        record: Some(Record {
            journal,
            begun: Arc::new(begun),
        }),
        stage,
        under_way: Arc::clone(under_way),
    }
}

/// Waits until something was recorded.
async fn ends(book: &Book) -> Vec<audit::Outcome> {
    let told = async {
        while book.ends.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let _in_time = tokio::time::timeout(Duration::from_secs(10), told).await;
    book.ends.lock().clone()
}

#[tokio::test]
async fn a_write_that_is_left_in_the_middle_is_recorded_as_unknown() {
    let (book, under_way) = (Arc::new(Book::default()), Arc::new(UnderWay::default()));
    drop(open(&book, &under_way));
    assert_eq!(under_way.count(), 0, "nobody waits for it any more");
    assert_eq!(ends(&book).await, [audit::Outcome::Unknown]);
}

#[tokio::test]
async fn a_write_that_came_to_its_end_is_recorded_once() {
    let (book, under_way) = (Arc::new(Book::default()), Arc::new(UnderWay::default()));
    let remarks = open(&book, &under_way).end(Verdict::NotDone, None).await;
    assert_eq!(remarks, Vec::<String>::new());
    assert_eq!(ends(&book).await, [audit::Outcome::Failed]);
    assert_eq!(under_way.count(), 0);
}
