//! Reading many inventory items: whose ids are named, and what they hold now.
//!
//! Order Desk lists items by a comma list of SKUs, not of ids. So a list of ids is looked for in the whole stock, and from then on the SKUs
//! are known and asked for. Codes with a comma in them cannot be asked for in a list; those items are read by their ids.

use futures_util::future::join_all;

use super::rows::{Row, Which};
use super::which;
use crate::desk::error::DeskError;
use crate::desk::model::{
    InventoryItem, InventoryItemId, InventoryQuery, MAX_LIMIT, Object, same_number,
};
use crate::desk::request::{Endpoint, Request};
use crate::desk::shop::Shop;

/// Up to so many items are asked for one by one.
const FEW: usize = 5;

/// Pages of five hundred that are looked through for ids; what is on none of them is asked for by itself.
const PAGES: u64 = 4;

/// Items asked for one by one in one call.
const MOST_SINGLES: usize = 60;

/// Single reads under way at once.
const AT_ONCE: usize = 3;

/// SKUs in one request: as many as rows in a batch.
const CODES: usize = 100;

/// Characters of SKUs in one request. Encoded they may triple, and addresses over eight thousand characters get lost on the way.
const CODE_CHARS: usize = 2_000;

/// An item that was found: its id and what it holds.
pub(super) type Known = (InventoryItemId, Object);

/// The item that each row names, or why there is none.
///
/// # Errors
/// As every read; [`DeskError::BadRequest`] for too many ids that no page shows.
pub(super) async fn named(
    shop: &Shop,
    rows: &[Row],
) -> Result<Vec<Result<Known, String>>, DeskError> {
    let (mut ids, mut codes) = (Vec::new(), Vec::new());
    for row in rows {
        match &row.which {
            Which::Id(id) => ids.push(id.clone()),
            Which::Code(code) => codes.push(code.trim()),
        }
    }
    let by_id = by_ids(shop, &ids).await?;
    let by_code = by_codes(shop, &codes).await?;
    let one = |row: &Row| match &row.which {
        Which::Id(id) => by_id
            .iter()
            .find(|item| same_number(&item.id(), id.as_str()))
            .map(|item| (id.clone(), item.object().clone()))
            .ok_or_else(|| format!("there is no inventory item {id} in this store")),
        Which::Code(code) => {
            let item = which::only(&by_code, code.trim()).map_err(|error| error.to_string())?;
            let id = InventoryItemId::parse(&item.id()).map_err(|bad| bad.to_string())?;
            Ok((id, item.object().clone()))
        }
    };
    Ok(rows.iter().map(one).collect())
}

/// What these items hold now, in their order; `None` for those that are gone. Each comes with the SKU it probably has.
///
/// # Errors
/// As every read.
pub(super) async fn held(
    shop: &Shop,
    wanted: &[(InventoryItemId, String)],
) -> Result<Vec<Option<Object>>, DeskError> {
    let codes: Vec<&str> = wanted.iter().map(|(_, code)| code.trim()).collect();
    let mut found = by_codes(shop, &codes).await?;
    let missing: Vec<InventoryItemId> = wanted
        .iter()
        .filter(|(id, _)| find(&found, id).is_none())
        .map(|(id, _)| id.clone())
        .collect();
    found.extend(singly(shop, &missing).await?);
    let one = |(id, _): &(InventoryItemId, String)| Some(find(&found, id)?.object().clone());
    Ok(wanted.iter().map(one).collect())
}

/// The items with these SKUs, and perhaps others. SKUs that cannot be asked for in a list are left out.
async fn by_codes(shop: &Shop, codes: &[&str]) -> Result<Vec<InventoryItem>, DeskError> {
    let mut found = Vec::new();
    for few in cut(codes) {
        found.extend(which::with_codes(shop, &few).await?);
    }
    Ok(found)
}

async fn by_ids(shop: &Shop, ids: &[InventoryItemId]) -> Result<Vec<InventoryItem>, DeskError> {
    let mut found: Vec<InventoryItem> = Vec::new();
    let mut page = 0;
    while ids.len() > FEW && page < PAGES {
        let query = InventoryQuery {
            codes: Vec::new(),
            limit: Some(MAX_LIMIT),
            offset: page * MAX_LIMIT,
        };
        let rows = shop.inventory(&query, true).await?.value;
        let wanted =
            |item: &&InventoryItem| ids.iter().any(|id| same_number(&item.id(), id.as_str()));
        found.extend(rows.items.iter().filter(wanted).cloned());
        if !rows.has_more || found.len() >= ids.len() {
            break;
        }
        page += 1;
    }
    let missing: Vec<InventoryItemId> = ids
        .iter()
        .filter(|id| find(&found, id).is_none())
        .cloned()
        .collect();
    found.extend(singly(shop, &missing).await?);
    Ok(found)
}

async fn singly(shop: &Shop, ids: &[InventoryItemId]) -> Result<Vec<InventoryItem>, DeskError> {
    if ids.len() > MOST_SINGLES {
        return Err(DeskError::BadRequest {
            what: format!("{} of these items must be read one by one", ids.len()),
            hint: "name them by `code`, or at most 60 in one call",
        });
    }
    let mut found = Vec::new();
    for few in ids.chunks(AT_ONCE) {
        for answer in join_all(few.iter().map(|id| shop.inventory_item(id, true))).await {
            match answer {
                Ok(item) => found.push((*item.value).clone()),
                Err(DeskError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// The `GET` that reads these items at once, for a write right after it; `None` when no single request does.
pub(super) fn together(wanted: &[(InventoryItemId, String)]) -> Option<Request> {
    if let [(id, _)] = wanted {
        return Some(Request::of(
            Endpoint::InventoryItem,
            id.as_str(),
            Vec::new(),
        ));
    }
    let codes: Vec<&str> = wanted.iter().map(|(_, code)| code.trim()).collect();
    let cut = cut(&codes);
    let query = InventoryQuery {
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        limit: Some(MAX_LIMIT),
        offset: 0,
    };
    let [whole] = cut.as_slice() else {
        return None;
    };
    let pairs = query.pairs().ok().filter(|_| whole.len() == codes.len())?;
    Some(Request::new(Endpoint::InventoryItems, pairs))
}

/// How the rows of a batch are cut, so that each part can be read in one request: by number, by the length of its SKUs, and items whose SKU
/// cannot stand in a list by themselves.
pub(super) fn parts(codes: &[&str]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let (mut part, mut chars) = (Vec::new(), 0);
    for (index, code) in codes.iter().enumerate() {
        if !listable(code) {
            parts.push(vec![index]);
            continue;
        }
        if part.len() == CODES || chars + code.len() > CODE_CHARS {
            parts.push(std::mem::take(&mut part));
            chars = 0;
        }
        chars += code.len();
        part.push(index);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

fn cut<'a>(codes: &[&'a str]) -> Vec<Vec<&'a str>> {
    let listed: Vec<&str> = codes
        .iter()
        .copied()
        .filter(|code| listable(code))
        .collect();
    let part = |rows: Vec<usize>| rows.into_iter().map(|index| listed[index]).collect();
    parts(&listed).into_iter().map(part).collect()
}

fn listable(code: &str) -> bool {
    !code.is_empty() && !code.contains(',') && code.len() <= CODE_CHARS
}

fn find<'a>(items: &'a [InventoryItem], id: &InventoryItemId) -> Option<&'a InventoryItem> {
    items
        .iter()
        .find(|item| same_number(&item.id(), id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_so_that_each_part_can_be_read_in_one_request() {
        let many: Vec<String> = (0..250).map(|n| format!("SKU-{n}")).collect();
        let codes: Vec<&str> = many.iter().map(String::as_str).collect();
        let sizes: Vec<usize> = parts(&codes).iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let long = "x".repeat(900);
        let sizes: Vec<usize> = parts(&[&long, &long, &long]).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }

    #[test]
    fn what_cannot_stand_in_a_list_is_read_by_its_id() {
        assert_eq!(
            parts(&["A", "B,C", "D", ""]),
            [vec![1], vec![3], vec![0, 2]]
        );
        let id = |text: &str| InventoryItemId::parse(text).unwrap();
        let one = together(&[(id("7"), "B,C".to_owned())]).unwrap();
        assert_eq!(one.target(), "/inventory-items/7");
        let two = together(&[(id("7"), "A".to_owned()), (id("8"), "D".to_owned())]).unwrap();
        assert_eq!(
            two.target(),
            "/inventory-items?code=A%2CD&limit=500&offset=0"
        );
        assert!(together(&[(id("7"), "A".to_owned()), (id("8"), "B,C".to_owned())]).is_none());
    }
}
