//! The applets: clap arguments and a short driver each. One row of [`APPLETS`] and one file make a new one.
