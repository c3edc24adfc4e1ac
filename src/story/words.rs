//! The words that stories are told with, as macros: each makes calls or looks at what they have given,
//! and ends the story where that is not as told.

/// Makes a call that opens a descriptor, and takes it over: `fd!(eventfd2(0, O_CLOEXEC))`.
#[macro_export]
macro_rules! fd {
    ($name:ident ( $($arg:expr),* )) => {
        $crate::story::Fd::new($crate::call!($name($($arg),*) > -1) as usize)
    };
}

/// Compares a field that a call has filled with its value: `field!(io_getevents: event.res = 15)`.
#[macro_export]
macro_rules! field {
    ($call:ident: $place:ident.$field:ident = $want:expr) => {{
        let (got, want) = ($place.$field, $want);
        let what = $crate::claim!(
            "f",
            concat!(stringify!($call), ": ", stringify!($field), " is "),
            stringify!($want)
        );
        #[allow(clippy::cast_lossless, reason = "some fields are u64")]
        let shown = got as i64;
        $crate::report::expect(what, shown, got == want)?
    }};
}

/// Compares what a call has written to memory with what it should be, up to the shorter's end:
/// `bytes!(io_submit: buffer => PAYLOAD)`.
#[macro_export]
macro_rules! bytes {
    ($call:ident: $got:expr => $want:expr) => {{
        let at = $crate::story::first_difference(&$got[..], &$want[..]);
        let what = $crate::claim!(
            "f",
            concat!(stringify!($call), ": the first wrong byte is "),
            "none"
        );
        $crate::report::expect(what, at, at == -1)?
    }};
}

/// Compares a completion with the request that it must be of, and with its result; it comes from
/// io_getevents, if no other call is named: `completed!(io_pgetevents: event, iocb, 15)`.
#[macro_export]
macro_rules! completed {
    ($call:ident: $event:expr, $iocb:expr, $res:expr) => {
        $crate::story::completion(
            &$event,
            &$iocb,
            $res,
            $crate::claim!("f", concat!(stringify!($call), ": res is "), stringify!($res)),
            &[
                $crate::claim!("f", concat!(stringify!($call), ": data is "), "aio_data"),
                $crate::claim!("f", concat!(stringify!($call), ": obj is "), "&iocb"),
                $crate::claim!("f", concat!(stringify!($call), ": res2 is "), "0"),
            ],
        )?
    };
    ($event:expr, $iocb:expr, $res:expr) => {
        $crate::completed!(io_getevents: $event, $iocb, $res)
    };
}

/// The list of these requests, for io_submit: writes their addresses to `list`, a place of its own,
/// and gives the place's. `list!(iocbpp: iocb)`.
#[macro_export]
macro_rules! list {
    ($list:ident: $($iocb:expr),+) => {{
        $list = [$(&raw mut $iocb),+];
        $list.as_ptr()
    }};
}

/// Fetches the one completion that is there or sure to come, and looks at it.
#[macro_export]
macro_rules! reaped {
    ($ctx:ident, $deadline:ident, $event:ident, $iocb:expr, $res:expr) => {{
        $crate::call!(io_getevents($ctx.id, 1, 1, &raw mut $event, &raw const $deadline) = 1);
        $crate::completed!($event, $iocb, $res);
    }};
}

/// Declares the scenario of a file: its name, and where `run` counts its rounds itself, how many of
/// them its fixture makes.
#[macro_export]
macro_rules! scenario {
    ($name:literal) => {
        $crate::scenario!(@ $name, None, |rounds| rounds.each(run), run());
    };
    ($name:literal, $rounds:literal) => {
        $crate::scenario!(@ $name, Some($rounds), run, run(&mut $crate::rounds::Rounds::new($rounds, 0)));
    };
    (@ $name:literal, $rounds:expr, $run:expr, $once:expr) => {
        /// The path of the target file.
        const TARGET: &::core::ffi::CStr =
            $crate::story::c_text(concat!(env!("FIXTURE_TMP"), "/ioworkload-", $name, "\0"));

        #[doc = concat!("The scenario `", $name, "`.")]
        pub const SCENARIO: $crate::story::Scenario = $crate::story::Scenario {
            name: $name,
            target: TARGET,
            expected: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json")),
            rounds: $rounds,
            run: $run,
        };

        /// All that the fixture does: returns the exit code, or ends with a line on stderr.
        #[inline(always)]
        pub fn fixture() -> u8 {
            let name = const { $crate::story::c_text(concat!($name, ": \0")) };
            match $once {
                Ok(()) => 0,
                Err(failure) => $crate::story::failed(name, TARGET, failure),
            }
        }
    };
}
