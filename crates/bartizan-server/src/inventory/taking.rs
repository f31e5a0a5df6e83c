//! A record of an inventory section, from an endpoint into the store.

use bartizan_proto::inventory::{
    Delta, Items, PARTS_MAX, Record, SECTIONS_MAX, apply, difference, item_text, section_hash,
};
use bartizan_store::{
    ChangeRecord, IndexItem, PartRecord, SectionRecord, SectionWrite, StoreError, Tx,
};
use bartizan_trust::id::EndpointId;

use super::{index_item, items_of, presence};
use crate::planes::agent::reports::{Fate, Observed};

/// Sections that an endpoint in quarantine may have: enough to tell who knocks. They are not searched.
const QUARANTINE_SECTIONS: [&str; 3] = ["agent", "os", "hardware"];

/// Where a record comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) endpoint: EndpointId,
    pub(crate) admitted: bool,
    /// By the server's clock.
    pub(crate) at: u64,
    /// By the endpoint's.
    pub(crate) own_at: u64,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The section is as the endpoint says.
    Stored,
    /// Other parts are awaited.
    Waiting,
    /// It starts from what this server does not have: everything has to come again.
    Unfit,
    /// It is nothing this server takes.
    Refused,
}

/// Takes a report of an inventory.
pub(crate) fn keep(tx: &mut Tx<'_>, observed: &Observed<'_>) -> Result<Fate, StoreError> {
    let origin = Origin {
        endpoint: observed.endpoint,
        admitted: observed.admitted,
        at: observed.received.get(),
        own_at: observed.at.get(),
    };
    Ok(match take(tx, origin, observed.bytes)? {
        Taken::Stored | Taken::Waiting => Fate::Stored,
        Taken::Unfit => Fate::Unfit,
        Taken::Refused => {
            Fate::Refused("not a record of an inventory section that is taken from this endpoint")
        }
    })
}

/// Takes one record, within the caller's transaction.
pub(crate) fn take(tx: &mut Tx<'_>, origin: Origin, bytes: &[u8]) -> Result<Taken, StoreError> {
    let Ok(record) = Record::decode(bytes) else { return Ok(Taken::Refused) };
    let id = origin.endpoint;
    if !origin.admitted
        && (record.parts > 1 || !QUARANTINE_SECTIONS.contains(&record.section.as_str()))
    {
        return Ok(Taken::Refused);
    }
    let (name, base, hash) = (record.section.clone(), record.base, record.hash);
    let delta = match record.parts {
        1 => record.into_delta(),
        parts => match gather(tx, id, &record, bytes, parts)? {
            Some(delta) => delta,
            None => return Ok(Taken::Waiting),
        },
    };
    tx.drop_parts(id, &name)?;
    let current = tx.section(id, &name)?;
    if current.is_none() && tx.section_counts(id)?.0 >= u64::try_from(SECTIONS_MAX).unwrap_or(0) {
        return Ok(Taken::Refused);
    }
    let old = current.as_ref().map(items_of).unwrap_or_default();
    let start = match base {
        None => Items::new(),
        Some(base) if current.as_ref().is_some_and(|section| section.hash == base) => old.clone(),
        Some(_) => return Ok(Taken::Unfit),
    };
    let Ok(new) = apply(start, &delta) else { return Ok(Taken::Unfit) };
    if section_hash(&name, &new) != hash {
        return Ok(Taken::Unfit);
    }
    if current
        .as_ref()
        .is_some_and(|section| section.hash == hash && section.indexed == origin.admitted)
    {
        tx.confirm_section(id, &name, origin.own_at)?;
        return Ok(Taken::Stored);
    }
    let section = SectionRecord {
        hash,
        body: serde_json::to_vec(&new).unwrap_or_default(),
        items: u64::try_from(new.len()).unwrap_or(u64::MAX),
        // When it became so, not when it was confirmed.
        at: current
            .as_ref()
            .filter(|section| section.hash == hash)
            .map_or(origin.at, |section| section.at),
        own_at: origin.own_at,
        indexed: origin.admitted,
        name,
    };
    write(tx, origin, &section, current.as_ref(), &old, &new)?;
    Ok(Taken::Stored)
}

/// All parts as one change, once they are there.
fn gather(
    tx: &mut Tx<'_>,
    id: EndpointId,
    record: &Record,
    bytes: &[u8],
    parts: u16,
) -> Result<Option<Delta>, StoreError> {
    let part = PartRecord { hash: record.hash, part: record.part.into(), bytes: bytes.to_vec() };
    let all = tx.put_part(id, &record.section, &part)?;
    if all.len() < usize::from(parts.min(PARTS_MAX)) {
        return Ok(None);
    }
    let mut whole = Delta::default();
    for part in all {
        let Ok(one) = Record::decode(&part.bytes) else { return Ok(None) };
        if one.base != record.base || one.parts != parts {
            tx.drop_parts(id, &record.section)?;
            return Ok(None);
        }
        whole.set.extend(one.set);
        whole.gone.extend(one.gone);
    }
    Ok(Some(whole))
}

fn write(
    tx: &mut Tx<'_>,
    origin: Origin,
    section: &SectionRecord,
    current: Option<&SectionRecord>,
    old: &Items,
    new: &Items,
) -> Result<(), StoreError> {
    let name = &section.name;
    let change = difference(old, new);
    // What the index has of it by now.
    let was_indexed = current.is_some_and(|section| section.indexed);
    let (mut added, mut removed): (Vec<IndexItem>, Vec<IndexItem>) = (Vec::new(), Vec::new());
    if was_indexed {
        added.extend(change.set.iter().map(|(key, item)| index_item(name, key, item)));
        let gone = change.gone.iter().chain(change.set.keys());
        removed.extend(gone.filter_map(|key| Some(index_item(name, key, old.get(key)?))));
    } else {
        added.push(presence(name));
        added.extend(new.iter().map(|(key, item)| index_item(name, key, item)));
    }
    let changes = current.map(|_| history(origin, name, &change, old)).unwrap_or_default();
    tx.put_section(
        origin.endpoint,
        &SectionWrite { section, added: &added, removed: &removed, changes: &changes },
    )
}

fn history(origin: Origin, section: &str, change: &Delta, old: &Items) -> Vec<ChangeRecord> {
    let record = |key: &String, after: Option<String>| ChangeRecord {
        endpoint: origin.endpoint,
        section: section.to_owned(),
        key: key.clone(),
        at: origin.at,
        own_at: origin.own_at,
        before: old.get(key).map(item_text),
        after,
    };
    let gone = change.gone.iter().map(|key| record(key, None));
    change.set.iter().map(|(key, item)| record(key, Some(item_text(item)))).chain(gone).collect()
}
