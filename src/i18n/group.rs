/// Declares a group of texts. For tests it can list every text it holds, so none can be forgotten.
macro_rules! group {
    (
        $(#[$doc:meta])* $name:ident
        { $($(#[$text_doc:meta])* $text:ident),* $(,)? }
        { $($(#[$filled_doc:meta])* $filled:ident($($argument:ty),*)),* $(,)? }
    ) => {
        $(#[$doc])*
        pub struct $name {
            $($(#[$text_doc])* pub $text: &'static str,)*
            $($(#[$filled_doc])* pub $filled: fn($($argument),*) -> String,)*
        }

        #[cfg(test)]
        impl $name {
            pub fn all(&self) -> Vec<(&'static str, String)> {
                vec![
                    $((stringify!($text), self.$text.to_owned()),)*
                    $((stringify!($filled), (self.$filled)($(<$argument as super::tests::Sample>::sample()),*)),)*
                ]
            }
        }
    };
}
pub(super) use group;
