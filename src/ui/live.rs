//! Closures of the interface, boxed. Leptos compiles the whole machinery of a reactive part, of a
//! handler and of an effect once for each type of closure, and each closure is a type of its own:
//! boxed, those with the same kind of value share one. That halves what a browser has to load.

use leptos::prelude::*;

/// A part of a view, or an attribute, that follows what `read` reads.
pub fn live<T: 'static>(read: impl FnMut() -> T + Send + 'static) -> Box<dyn FnMut() -> T + Send> {
    Box::new(read)
}

/// What to do about an event.
pub fn act<E: 'static>(handle: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(handle)
}

/// What to do outside of the view when what it reads changes.
pub fn effect(run: impl FnMut() + 'static) {
    let run: Box<dyn FnMut()> = Box::new(run);
    Effect::new(run);
}

/// A value that is told on only when it has changed.
pub fn memo<T: PartialEq + Send + Sync + 'static>(compute: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    let compute: Box<dyn Fn() -> T + Send + Sync> = Box::new(compute);
    Memo::new(move |_| compute())
}
