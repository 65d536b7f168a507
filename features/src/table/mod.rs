//! The table of features. A row declares a feature once: its JSON name, the field and column, the type, the unit and
//! what it says; the structs, the descriptions and the serialisation all come from these rows.

mod client;
mod connection;
mod track;

pub use client::{CLIENT_FEATURES, ClientFeatures};
pub use connection::{CONNECTION_FEATURES, ConnectionFeatures};
pub use track::{TRACK_FEATURES, TrackFeatures};

/// Declares a struct of features from the rows of its table. Fields before `table` are no features.
macro_rules! features {
    (
        $(#[$attribute:meta])*
        struct $Struct:ident { $($(#[$member_attribute:meta])* $member:ident: $Member:ty,)* }

        $(#[$table_attribute:meta])*
        table $TABLE:ident { $($name:literal $field:ident: $Type:ty, $unit:ident, $about:literal;)* }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $Struct {
            $($(#[$member_attribute])* pub $member: $Member,)*
            $(#[doc = $about] pub $field: $Type,)*
        }

        $(#[$table_attribute])*
        pub static $TABLE: &[$crate::value::Feature] = &[$($crate::value::Feature {
            name: $name,
            column: stringify!($field),
            kind: <$Type as $crate::value::Column>::KIND,
            unit: $crate::value::Unit::$unit,
            about: $about,
        }),*];

        impl $Struct {
            /// Every feature in the order of its table, `None` where it is absent: a row for the database.
            pub fn row(
                &self,
            ) -> impl Iterator<Item = (&'static $crate::value::Feature, Option<$crate::value::FeatureValue<'_>>)> {
                $TABLE.iter().zip([$($crate::value::Column::value(&self.$field)),*])
            }

            /// The features that are present, in the order of their table.
            pub fn values(
                &self,
            ) -> impl Iterator<Item = (&'static $crate::value::Feature, $crate::value::FeatureValue<'_>)> {
                self.row().filter_map(|(feature, value)| Some((feature, value?)))
            }

            /// Writes the features that are present, by name.
            fn serialize_values<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                self.values().try_for_each(|(feature, value)| map.serialize_entry(feature.name, &value))
            }
        }
    };
}

use features;
