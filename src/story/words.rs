//! The words that stories are told with, as macros: each makes calls or looks at what they have given,
//! and ends the story where that is not as told.

/// A claim: its kind (the letters of [`Claim`]), what it is about, and the value.
#[macro_export]
macro_rules! claim {
    ($kind:literal, $what:expr, $want:expr) => {
        const { $crate::report::Claim::new(concat!($kind, $what, "\0", $want, "\0").as_bytes()) }
    };
    (io_setup, $want:expr) => {
        $crate::claim!("s", "io_setup: ", $want)
    };
    (io_destroy, $want:expr) => {
        $crate::claim!("a", "io_destroy: ", $want)
    };
    (io_getevents, $want:expr) => {
        $crate::claim!("a", "io_getevents: ", $want)
    };
    (io_submit, $want:expr) => {
        $crate::claim!("a", "io_submit: ", $want)
    };
    (io_cancel, $want:expr) => {
        $crate::claim!("a", "io_cancel: ", $want)
    };
    (io_pgetevents, $want:expr) => {
        $crate::claim!("a", "io_pgetevents: ", $want)
    };
    ($other:ident, $want:expr) => {
        $crate::claim!("c", concat!(stringify!($other), ": "), $want)
    };
}

/// Makes a call and holds it against its answer, written as tracers print it:
/// `call!(io_destroy(0) = -EINVAL)`; a list where the kernel has a choice, the usual answer first;
/// `> 0` where it is any number above. Any other answer ends the story.
#[macro_export]
macro_rules! call {
    ($name:ident ( $($arg:expr),* ) = [$want:expr $(, $more:expr)*]) => {{
        let got = $crate::story::raw($name($($arg),*));
        $crate::story::hold(
            $crate::claim!($name, stringify!($want)),
            got,
            // The usual answer is looked for first: unhidden, the compiler would sort the others in.
            got == $want $(|| got == ::core::hint::black_box($more))*,
        )?
    }};
    ($name:ident ( $($arg:expr),* ) = $want:expr) => {
        $crate::call!($name($($arg),*) = [$want])
    };
    ($name:ident ( $($arg:expr),* ) > $least:expr) => {{
        let got = $crate::story::raw($name($($arg),*));
        let claim = $crate::claim!($name, concat!("> ", stringify!($least)));
        $crate::story::hold(claim, got, got > $least)?
    }};
}

/// Makes a call that opens a descriptor, and takes it over: `fd!(eventfd2(0, O_CLOEXEC))`.
#[macro_export]
macro_rules! fd {
    ($name:ident ( $($arg:expr),* )) => {
        $crate::story::Fd::new($crate::call!($name($($arg),*) > -1) as usize)
    };
}

/// Holds a field that a call has filled against its value: `field!(io_getevents: event.res = 15)`.
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
        $crate::story::hold(what, shown, got == want)?
    }};
}

/// Holds what a call has written to memory against what it should be, up to the shorter's end:
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
        $crate::story::hold(what, at, at == -1)?
    }};
}

/// Holds a completion against the request that it must be of, and against its result; it comes from
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

/// Declares the story of a file as the scenario of that name, told by the file's function `run`.
/// With a number, `run` counts its rounds itself, and the number is how many the fixture makes.
///
/// A story is a program of its own, the fixture, and a module of the library. It says
/// `crate::story!`: in the fixture `crate` is the story itself, which has this macro from here and
/// so gets its entry point; in the library `crate` is the library, which has [`story_module`] under
/// that name.
#[macro_export]
macro_rules! fixture_story {
    ($name:literal $(, $rounds:literal)?) => {
        $crate::story_module!($name $(, $rounds)?);
        $crate::program!(main);

        #[inline(always)]
        fn main(_: $crate::rt::Stack) -> u8 {
            match run($($crate::rounds::Rounds::new($rounds, 0))?) {
                Ok(()) => 0,
                Err(failure) => $crate::story::failed(
                    const { $crate::story::c_text(concat!($name, ": \0")) },
                    TARGET,
                    failure,
                ),
            }
        }
    };
}

/// Declares the scenario and nothing else.
#[macro_export]
macro_rules! story_module {
    ($name:literal) => {
        $crate::story_module!(@ $name, None, |rounds| rounds.each(run));
    };
    ($name:literal, $rounds:literal) => {
        $crate::story_module!(@ $name, Some($rounds), run);
    };
    (@ $name:literal, $rounds:expr, $run:expr) => {
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
    };
}
