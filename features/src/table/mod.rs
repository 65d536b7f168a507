//! The table of features. A row declares a feature once: its JSON name, the field and column, the type, the unit, what it says, its
//! formula and what it is read from; the structs, the descriptions and the serialisation all come from these rows. Upstream's come
//! first, ours behind them, as the columns do in the database.

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
        table $TABLE:ident {
            upstream { $($name:literal $field:ident: $Type:ty, $unit:ident, $about:literal, $formula:literal, $source:literal;)* }
            ours { $($our_name:literal $our_field:ident: $OurType:ty, $our_unit:ident, $our_about:literal, $our_formula:literal, $our_source:literal;)* }
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $Struct {
            $($(#[$member_attribute])* pub $member: $Member,)*
            $(#[doc = $about] pub $field: $Type,)*
            $(#[doc = $our_about] pub $our_field: $OurType,)*
        }

        $(#[$table_attribute])*
        pub static $TABLE: &[$crate::value::Feature] = &[
            $($crate::value::Feature {
                name: $name,
                column: $crate::value::described(stringify!($field)),
                kind: <$Type as $crate::value::Column>::KIND,
                unit: $crate::value::Unit::$unit,
                about: $crate::value::described($about),
                formula: $crate::value::described($formula),
                source: $crate::value::described($source),
                upstream: true,
            },)*
            $($crate::value::Feature {
                name: $our_name,
                column: $crate::value::described(stringify!($our_field)),
                kind: <$OurType as $crate::value::Column>::KIND,
                unit: $crate::value::Unit::$our_unit,
                about: $crate::value::described($our_about),
                formula: $crate::value::described($our_formula),
                source: $crate::value::described($our_source),
                upstream: false,
            },)*
        ];

        impl $Struct {
            /// Every feature in the order of its table, `None` where it is absent: a row for the database.
            pub fn row(
                &self,
            ) -> impl Iterator<Item = (&'static $crate::value::Feature, Option<$crate::value::FeatureValue<'_>>)> {
                // Each field by its type's one function: as code for each of them, this was a hundredth of what the viewer downloads.
                let fields: [&dyn $crate::value::Field; _] = [$(&self.$field,)* $(&self.$our_field,)*];
                $TABLE.iter().zip(fields).map(|(feature, field)| (feature, field.value()))
            }

            /// The features that are present, in the order of their table.
            pub fn values(
                &self,
            ) -> impl Iterator<Item = (&'static $crate::value::Feature, $crate::value::FeatureValue<'_>)> {
                self.row().filter_map(|(feature, value)| Some((feature, value?)))
            }

            /// Writes the features that are present, by name: upstream's only, or all.
            #[cfg(feature = "serde")]
            pub(crate) fn serialize_values<M: serde::ser::SerializeMap>(
                &self,
                map: &mut M,
                only_upstream: bool,
            ) -> Result<(), M::Error> {
                let mut values = self.values().filter(|(feature, _)| feature.upstream || !only_upstream);
                values.try_for_each(|(feature, value)| map.serialize_entry(feature.name, &value))
            }
        }
    };
}

use features;
