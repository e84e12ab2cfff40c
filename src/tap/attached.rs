//! What is attached to a connection, if anything is. In a program built without the feature `taps` nothing ever is: this is empty
//! then, and what would ask it is not compiled in.

#[cfg(not(feature = "taps"))]
use std::marker::PhantomData;

/// An observer of one connection, or none.
#[cfg(feature = "taps")]
pub struct Attached<T: ?Sized>(Option<Box<T>>);

/// No observer.
#[cfg(not(feature = "taps"))]
pub struct Attached<T: ?Sized>(PhantomData<Box<T>>);

#[cfg(feature = "taps")]
impl<T: ?Sized> Attached<T> {
    /// This one, if there is one.
    pub const fn new(observer: Option<Box<T>>) -> Self {
        Self(observer)
    }

    /// It, to be told something.
    pub fn observer(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Whether there is one.
    pub const fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(not(feature = "taps"))]
impl<T: ?Sized> Attached<T> {
    /// None.
    pub fn new(_: Option<Box<T>>) -> Self {
        Self(PhantomData)
    }

    /// None.
    pub const fn observer(&mut self) -> Option<&mut T> {
        None
    }

    /// Never.
    pub const fn is_some(&self) -> bool {
        false
    }
}
