//! What a slash answer may hold, whatever the app answered.

use super::*;
