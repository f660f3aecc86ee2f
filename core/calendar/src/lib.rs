#![doc = include_str!("../README.md")]

mod countries;
mod hours;
mod window;
mod zone;

pub use countries::zones_of;
pub use hours::{Exception, Hours, HoursError, Interval, TimeOfDay, WeeklyHours};
pub use window::{Date, Period, Window, zones_for};
pub use zone::{UnknownZone, WallHour, Zone};
