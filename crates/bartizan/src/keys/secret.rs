//! Values that must not be shown.

use zeroize::Zeroize;

/// A secret: no `Debug`, no `Display`, wiped on drop.
pub(crate) struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes charge of a secret.
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub(crate) const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
