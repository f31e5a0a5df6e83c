//! Identifiers: hashes and slugs with a prefix that says what they name.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use ring::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;

/// Text that is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    text: String,
    expected: &'static str,
}

impl IdError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), expected }
    }
}

/// A SHA-256 value. Text form: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The hash of the concatenation of `parts`.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.finish().as_ref());
        Self(out)
    }

    /// Takes 32 bytes as a hash value.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256 {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let expected = "64 lower-case hexadecimal digits";
        let bytes = data_encoding::HEXLOWER
            .decode(text.as_bytes())
            .map_err(|_| IdError::new(text, expected))?;
        Ok(Self(bytes.try_into().map_err(|_| IdError::new(text, expected))?))
    }
}

/// What an [`Id`] or [`Slug`] names: its prefix and its description for errors.
pub trait Kind: Clone + Copy + PartialEq + Eq + core::hash::Hash + PartialOrd + Ord {
    /// Prefix of the text form, with the underscore.
    const PREFIX: &'static str;
    /// Used in error messages.
    const EXPECTED: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {}
        impl Kind for $name {
            const PREFIX: &'static str = $prefix;
            const EXPECTED: &'static str = $expected;
        }
    )*};
}

kinds! {
    /// Marks an organisation's id.
    OrgKind "org_" "an organisation id (`org_` and 52 letters)";
    /// Marks an endpoint's id.
    EndpointKind "ep_" "an endpoint id (`ep_` and 52 letters)";
    /// Marks a statement's digest.
    StatementKind "st_" "a statement id (`st_` and 52 letters)";
    /// Marks an operator's id.
    OperatorKind "op_" "an operator id (`op_` and a short lower-case name)";
    /// Marks a tenant's id.
    TenantKind "tn_" "a tenant id (`tn_` and a short lower-case name)";
    /// Marks a site's id.
    SiteKind "si_" "a site id (`si_` and a short lower-case name)";
    /// Marks an alert's id.
    AlertKind "al_" "an alert id (`al_` and 52 letters)";
    /// Marks a notification's id.
    NotificationKind "nt_" "a notification id (`nt_` and 52 letters)";
}

/// A hash-shaped identifier: prefix and 52 letters of lower-case base32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<K: Kind>(Sha256, PhantomData<K>);

/// The organisation: the digest of its genesis bundle.
pub type OrgId = Id<OrgKind>;
/// An endpoint: SHA-256 of its device key blob.
pub type EndpointId = Id<EndpointKind>;
/// A statement: SHA-256 of its DSSE pre-authentication encoding.
pub type StatementId = Id<StatementKind>;
/// One alert, from its beginning to its end. Nothing signed names it.
pub type AlertId = Id<AlertKind>;
/// One message about an alert over one channel. Nothing signed names it.
pub type NotificationId = Id<NotificationKind>;

impl<K: Kind> Id<K> {
    /// Names the thing whose hash this is.
    pub const fn new(hash: Sha256) -> Self {
        Self(hash, PhantomData)
    }

    /// The hash inside.
    pub const fn hash(&self) -> &Sha256 {
        &self.0
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str(&base32_encode(self.0.as_bytes()))
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.strip_prefix(K::PREFIX)
            .and_then(base32_decode)
            .map(|bytes| Self::new(Sha256(bytes)))
            .ok_or_else(|| IdError::new(text, K::EXPECTED))
    }
}

/// A name-shaped identifier: prefix and `[a-z0-9][a-z0-9-]{0,31}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug<K: Kind>(String, PhantomData<K>);

/// A person with signing keys.
pub type OperatorId = Slug<OperatorKind>;
/// A customer organisation.
pub type TenantId = Slug<TenantKind>;
/// A place of a tenant.
pub type SiteId = Slug<SiteKind>;

impl<K: Kind> Slug<K> {
    /// The name without its prefix.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Names something by its bare name.
    pub fn from_name(name: &str) -> Result<Self, IdError> {
        let first =
            name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !first || !rest || name.len() > limits::SLUG_BYTES_MAX {
            return Err(IdError::new(name, K::EXPECTED));
        }
        Ok(Self(name.to_owned(), PhantomData))
    }
}

impl<K: Kind> fmt::Display for Slug<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str(&self.0)
    }
}

impl<K: Kind> fmt::Debug for Slug<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Slug<K> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let name = text.strip_prefix(K::PREFIX).ok_or_else(|| IdError::new(text, K::EXPECTED))?;
        Self::from_name(name).map_err(|_| IdError::new(text, K::EXPECTED))
    }
}

/// The anchor: all 256 bits of the genesis digest as `bz1-` and 52 letters, given to an endpoint
/// by its installer. The only thing an endpoint believes before it has seen the control log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Anchor(OrgId);

impl Anchor {
    /// The anchor of an organisation.
    pub const fn new(org: OrgId) -> Self {
        Self(org)
    }

    /// The organisation it anchors.
    pub const fn org(&self) -> OrgId {
        self.0
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bz1-{}", base32_encode(self.0.hash().as_bytes()))
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Anchor {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.strip_prefix("bz1-")
            .and_then(base32_decode)
            .map(|bytes| Self(OrgId::new(Sha256(bytes))))
            .ok_or_else(|| IdError::new(text, "an anchor (`bz1-` and 52 letters)"))
    }
}

fn base32_encode(bytes: &[u8; 32]) -> String {
    data_encoding::BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

fn base32_decode(text: &str) -> Option<[u8; 32]> {
    // Lower case only, so that there is one text for one id.
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let bytes = data_encoding::BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// Serde through the text form, so that JSON and people see the same thing.
macro_rules! serde_as_text {
    ($type:ty $(, $($generic:tt)*)?) => {
        impl $(<$($generic)*>)? Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de $(, $($generic)*)?> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(Sha256);
serde_as_text!(Anchor);
serde_as_text!(Id<K>, K: Kind);
serde_as_text!(Slug<K>, K: Kind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_with_their_prefix_and_refuse_another() {
        let id = EndpointId::new(Sha256::of(b"key"));
        assert_eq!(id.to_string().len(), 3 + 52);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<StatementId>().is_err());
        assert!(id.to_string().to_uppercase().parse::<EndpointId>().is_err());
    }

    #[test]
    fn slugs_are_short_and_lower_case() {
        let longest = "a".repeat(limits::SLUG_BYTES_MAX);
        assert!(TenantId::from_name(&longest).is_ok());
        assert!(TenantId::from_name(&format!("{longest}a")).is_err());
        for bad in ["", "-a", "A", "a_b", "ä", "a b"] {
            assert!(TenantId::from_name(bad).is_err(), "{bad}");
        }
        assert!("op_alice".parse::<TenantId>().is_err());
    }

    #[test]
    fn anchor_carries_the_whole_digest() {
        let anchor = Anchor::new(OrgId::new(Sha256::of(b"genesis")));
        assert_eq!(anchor.to_string().parse(), Ok(anchor));
        assert!("bz1-aaaa".parse::<Anchor>().is_err());
        // 52 letters hold 260 bits; the four spare ones must be zero.
        assert!(format!("bz1-{}", "7".repeat(52)).parse::<Anchor>().is_err());
    }
}
