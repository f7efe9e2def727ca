//! Everything that requests share: the stores, the faults, the log, the options.

use parking_lot::Mutex;

use crate::faults::Faults;
use crate::requests::RequestLog;
use crate::sandbox::Options;
use crate::seed;
use crate::shop::Shop;

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) options: Options,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    shops: Vec<Mutex<Shop>>,
}

impl Site {
    pub(crate) fn new(options: Options, faults: Faults) -> Self {
        let (recipe, now) = (options.recipe(), options.clock.now());
        let shops = (0..options.stores)
            .map(|number| Mutex::new(seed::shop(number, &recipe, now)))
            .collect();
        Self {
            options,
            faults,
            log: RequestLog::default(),
            shops,
        }
    }

    /// Every store, in order.
    pub(crate) fn shops(&self) -> &[Mutex<Shop>] {
        &self.shops
    }

    /// The store with this id.
    pub(crate) fn shop(&self, store_id: &str) -> Option<&Mutex<Shop>> {
        // Ids count up from the first store's, so the place follows from the id.
        let place = store_id
            .parse::<u64>()
            .ok()?
            .checked_sub(seed::FIRST_STORE)?;
        self.shops.get(usize::try_from(place).ok()?)
    }

    /// Back to the beginning: data, tokens, faults, requests.
    pub(crate) fn reset(&self) {
        let (recipe, now) = (self.options.recipe(), self.options.clock.now());
        for (number, shop) in self.shops.iter().enumerate() {
            *shop.lock() = seed::shop(number, &recipe, now);
        }
        self.faults.clear();
        self.log.clear();
    }
}
